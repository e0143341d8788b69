"""Creates tables in DynamoDB, and waits until they are usable.

botocore's waiter is not used: it takes a gateway's page under 200 for a table that is still being created,
and gives no code for what DynamoDB says against the question.
"""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from orderstream.aws import ExpectedRefusalError, aws_calls, expecting, given_by_service, required
from orderstream.errors import DependencyError
from orderstream_consumer.store.protocol import TableSpec

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.literals import KeyTypeType

SETTING: Final = "table_prefix (in the environment: ORDERSTREAM_TABLE_PREFIX)"
"""What names the tables of a store."""

_LOOKS: Final = 60
_PAUSE_SECONDS: Final = 1.0

_USABLE: Final = frozenset({"ACTIVE", "UPDATING"})
"""DynamoDB API, TableStatus: a table that is being updated remains available for data operations."""


def create_tables(client: "DynamoDBClient", specs: Iterable[TableSpec], table_prefix: str = "") -> None:
    """Create the tables that are not there yet, billed per request, and wait until they are usable.

    Args:
        client: A boto3 DynamoDB client.
        specs: What to create.
        table_prefix: Put before every name.

    Raises:
        DependencyError: DynamoDB could not be reached, or a table did not become usable within a minute.
    """
    for spec in specs:
        name = table_prefix + spec.name
        _create(client, spec, name)
        if spec.expires is not None:
            _let_expire(client, name, spec.expires)


def wait_until_usable(
    client: "DynamoDBClient", name: str, setting: str = "", sleep: Callable[[float], None] = time.sleep
) -> None:
    """Wait until a table can be read and written.

    Args:
        client: A boto3 DynamoDB client.
        name: The table's name.
        setting: The setting that names it.
        sleep: Waits for so many seconds.

    Raises:
        DependencyError: DynamoDB could not be reached, or the table did not become usable within a minute.
    """
    status = ""
    for _ in range(_LOOKS):
        status = _status(client, name, setting)
        if status in _USABLE:
            return
        if status not in {"CREATING", _NOT_YET}:
            break
        sleep(_PAUSE_SECONDS)
    raise DependencyError("dynamodb", "CreateTable", f"the table is {status}", resource=name)


def is_usable(client: "DynamoDBClient", name: str, setting: str = "") -> bool:
    """Whether a table exists and can be read and written.

    Ask before creating: a process whose tables are provisioned then needs no right to create any.

    Args:
        client: A boto3 DynamoDB client.
        name: The table's name.
        setting: The setting that names it.

    Raises:
        DependencyError: DynamoDB could not be reached.
    """
    return _status(client, name, setting) in _USABLE


_NOT_YET: Final = "not there yet"


def _status(client: "DynamoDBClient", name: str, setting: str) -> str:
    try:
        with aws_calls(
            "dynamodb",
            "DescribeTable",
            client=client,
            resource=name,
            setting=setting,
            refusals=expecting("ResourceNotFoundException"),
        ):
            table = required(client.describe_table(TableName=name), "Table", dict)
            return required(table, "TableStatus", str)
    except ExpectedRefusalError:
        return _NOT_YET  # DescribeTable is eventually consistent: it may have been created a moment ago


def _create(client: "DynamoDBClient", spec: TableSpec, name: str) -> None:
    if is_usable(client, name, SETTING):
        return
    keys: list[tuple[str, KeyTypeType]] = [("pk", "HASH"), ("sk", "RANGE")]
    keys = keys if spec.sorted else keys[:1]
    with (
        suppress(ExpectedRefusalError),  # it is there already
        aws_calls(
            "dynamodb",
            "CreateTable",
            client=client,
            resource=name,
            setting=SETTING,
            refusals=expecting("ResourceInUseException"),
        ),
    ):
        response = client.create_table(
            TableName=name,
            AttributeDefinitions=[{"AttributeName": key, "AttributeType": "S"} for key, _ in keys],
            KeySchema=[{"AttributeName": key, "KeyType": kind} for key, kind in keys],
            BillingMode="PAY_PER_REQUEST",
        )
        required(required(response, "TableDescription", dict), "TableStatus", str)
    wait_until_usable(client, name, SETTING)


def _let_expire(client: "DynamoDBClient", name: str, attribute: str) -> None:
    """Have DynamoDB delete the items whose time is over; a table that does so already is left as it is."""
    with aws_calls("dynamodb", "DescribeTimeToLive", client=client, resource=name, setting=SETTING):
        response = client.describe_time_to_live(TableName=name)
        found = required(response, "TimeToLiveDescription", dict)
        if required(found, "TimeToLiveStatus", str) != "DISABLED":
            return
    with aws_calls("dynamodb", "UpdateTimeToLive", client=client, resource=name, setting=SETTING):
        given_by_service(
            client.update_time_to_live(
                TableName=name, TimeToLiveSpecification={"Enabled": True, "AttributeName": attribute}
            )
        )
