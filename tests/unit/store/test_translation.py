"""What DynamoDB's responses mean: a refusal, a conflict, an outage, or a mistake of ours."""

from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, ParamValidationError

from orderstream.errors import DependencyError, RequestInvalidError
from orderstream_consumer.store import (
    ConditionFailedError,
    ContentionError,
    DynamoDBStore,
    Put,
    TableSpec,
    create_tables,
)

TWO = [Put("t", "a", {}, None), Put("t", "b", {}, None)]


class AnsweringClient:
    """Every call ends in the same response."""

    def __init__(self, response: Any) -> None:
        self.response = response
        self.requests: list[dict[str, Any]] = []

    def transact_write_items(self, **request: Any) -> Any:
        self.requests.append(request)
        if isinstance(self.response, Exception):
            raise self.response
        return self.response

    def put_item(self, **request: Any) -> Any:
        return self.transact_write_items(**request)

    def batch_get_item(self, **request: Any) -> Any:
        return self.transact_write_items(**request)


def refusal(code: str, *reasons: str) -> ClientError:
    response: Any = {
        "Error": {"Code": code, "Message": "said so"},
        "CancellationReasons": [{"Code": reason} for reason in reasons],
    }
    return ClientError(response, "TransactWriteItems")


def cancelled(*reasons: str) -> ClientError:
    return refusal("TransactionCanceledException", *reasons)


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (cancelled("None", "TransactionConflict"), ContentionError),
        (refusal("TransactionInProgressException"), ContentionError),
        (cancelled("ThrottlingError", "None"), DependencyError),
        (refusal("ProvisionedThroughputExceededException"), DependencyError),
        (refusal("InternalServerError"), DependencyError),
        (ConnectTimeoutError(endpoint_url="http://x"), DependencyError),
        (refusal("AccessDeniedException"), DependencyError),
        (refusal("ResourceNotFoundException"), DependencyError),
        (refusal("ValidationException"), RequestInvalidError),
        (ParamValidationError(report="no such type"), RequestInvalidError),
        (cancelled("None", "ValidationError"), RequestInvalidError),
    ],
)
def test_each_response_has_its_error(response: Exception, error: type[Exception]) -> None:
    """Whoever calls can tell what to do: decide anew, wait, or give the record up."""
    with pytest.raises(error) as caught:
        DynamoDBStore(AnsweringClient(response)).transact(TWO)  # type: ignore[arg-type]
    assert type(caught.value) is error


def test_a_refused_condition_is_named_even_beside_a_conflict() -> None:
    """The indexes are those of the writes whose condition failed."""
    response = cancelled("TransactionConflict", "ConditionalCheckFailed")
    with pytest.raises(ConditionFailedError) as caught:
        DynamoDBStore(AnsweringClient(response)).transact(TWO)  # type: ignore[arg-type]
    assert caught.value.failed == (1,)


def test_a_single_write_that_meets_a_transaction_is_contention() -> None:
    """A plain write can meet a transaction on its item, too."""
    client = AnsweringClient(refusal("TransactionConflictException"))
    with pytest.raises(ContentionError):
        DynamoDBStore(client).transact(TWO[:1])  # type: ignore[arg-type]


def test_each_transaction_has_a_token_of_its_own() -> None:
    """DynamoDB would take the same token with another body for a mistake."""
    client = AnsweringClient({"ResponseMetadata": {"RequestId": "r-1"}})
    store = DynamoDBStore(client)  # type: ignore[arg-type]
    store.transact(TWO)
    store.transact(TWO)
    assert len({request["ClientRequestToken"] for request in client.requests}) == 2


def test_a_read_of_which_nothing_was_processed_is_an_outage() -> None:
    """Throttled keys are not asked for again without a pause, which is the caller's to make."""
    keys = [{"pk": {"S": "a"}}]
    given = {"Responses": {}, "UnprocessedKeys": {"t": {"Keys": keys}}}
    client = AnsweringClient({**given, "ResponseMetadata": {"RequestId": "r-1"}})
    with pytest.raises(DependencyError, match="none of the keys"):
        DynamoDBStore(client).get_many("t", ["a"])  # type: ignore[arg-type]


class SlowTables:
    """Takes every table and never makes it usable."""

    class exceptions:  # noqa: N801 - boto3's name
        ResourceInUseException = KeyError

    def describe_table(self, **_: Any) -> Any:
        return {"Table": {"TableStatus": "DELETING"}}

    def create_table(self, **_: Any) -> Any:
        return {"TableDescription": {"TableStatus": "CREATING"}}


def test_a_table_that_does_not_become_usable_is_an_outage() -> None:
    """Whoever creates tables hears of one kind of failure, however DynamoDB fails."""
    with pytest.raises(DependencyError):
        create_tables(SlowTables(), [TableSpec("t")])  # type: ignore[arg-type]
