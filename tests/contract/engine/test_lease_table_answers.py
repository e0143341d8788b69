"""Whatever DynamoDB's calls answer, a lease table makes an outage of what says nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from botocore.parsers import ResponseParserError

from orderstream.errors import DependencyError
from orderstream_consumer.engines.embedded.leases import DynamoDBLeaseTable, Lease

LEASE = Lease(lease_key="s", lease_owner="me")

RAISED: list[Any] = [
    ResponseParserError("not JSON"),
    EndpointConnectionError(endpoint_url="http://dynamodb"),
    ClientError({}, "Scan"),
    ClientError({"Error": {"Code": "502", "Message": "Bad gateway"}}, "Scan"),
    ClientError({"Error": {"Code": "ExpiredTokenException"}}, "Scan"),
]
ODD: list[Any] = [
    {},
    None,
    [],
    "<html>Bad gateway</html>",
    {"Items": None},
    {"Items": {}},
    {"Items": [None]},
    {"Items": [[]]},
    {"Items": ["x"]},
    {"Items": [{"leaseKey": {"S": "s"}, "leaseCounter": {"N": "1"}}]},
    {"Items": [{"leaseKey": {"S": "s"}, "leaseCounter": {}, "checkpoint": {"S": "LATEST"}}]},
    {"Items": [{"leaseKey": {"S": "s"}, "leaseCounter": {"N": "x"}, "checkpoint": {"S": "LATEST"}}]},
    {"Items": [{"leaseKey": {"S": "s"}, "leaseCounter": {"N": "1"}, "checkpoint": {"S": "7x"}}]},
]


class Says:
    """A client whose every call gives the same, or raises it."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def scan(self, **_: Any) -> Any:
        if isinstance(self._response, Exception):
            raise self._response
        return self._response

    get_item = put_item = update_item = delete_item = describe_table = scan


def table(response: Any) -> DynamoDBLeaseTable:
    return DynamoDBLeaseTable(Says(response), "leases")  # type: ignore[arg-type]


@pytest.mark.parametrize("error", RAISED, ids=repr)
@pytest.mark.parametrize(
    "call",
    [
        lambda table: table.create_table(),
        lambda table: table.list_leases(),
        lambda table: table.get("s"),
        lambda table: table.create_if_absent(LEASE),
        lambda table: table.replace(LEASE, LEASE.renewed()),
        lambda table: table.delete(LEASE),
    ],
    ids=["create_table", "list_leases", "get", "create_if_absent", "replace", "delete"],
)
def test_what_is_raised_is_an_outage(call: Callable[[DynamoDBLeaseTable], object], error: Exception) -> None:
    """Of every call, whatever is raised: the outcome is unknown."""
    with pytest.raises(DependencyError):
        call(table(error))


@pytest.mark.parametrize("response", ODD, ids=lambda response: repr(response)[:40])
def test_a_listing_without_its_leases_is_an_outage(response: Any) -> None:
    """A lease that cannot be read must not pass for one that is not there: it would be made anew."""
    with pytest.raises(DependencyError):
        table(response).list_leases()


@pytest.mark.parametrize("response", [None, [], "x", {"Item": {"leaseCounter": {"N": "1"}}}, {"Item": ["x"]}])
def test_a_row_that_cannot_be_read_is_an_outage(response: Any) -> None:
    """Nor may it here. An empty response says that there is none: whoever depends on that looks at all."""
    with pytest.raises(DependencyError):
        table(response).get("s")
