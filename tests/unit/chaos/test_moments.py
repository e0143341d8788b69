"""A window is recognised by what a process asks for and what it is told, and by nothing else."""

import base64
import json
from typing import Any

import pytest

from chaos.calls import Call, Reply
from chaos.moments import Moment, after, answered, asked, checkpoint, committed, row_deleted
from chaos.windows import chunk_windows

DONE = Reply(200, b"{}")
REFUSED = Reply(400, b"{}")


def put(table: str, state: dict[str, Any]) -> dict[str, Any]:
    packed = base64.b64encode(json.dumps(state).encode()).decode()
    return {"TableName": f"orderstream-{table}", "Item": {"pk": {"S": "o"}, "state": {"B": packed}}}


def dynamodb(operation: str, arguments: dict[str, Any]) -> Call:
    return Call("x", "dynamodb", operation, json.dumps(arguments).encode())


RESERVING = put("reservations", {"phase": "reserving", "held": 25})


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (committed("reservations"), True),
        (committed("reservations", phase="reserving", held=25), True),
        (committed("reservations", phase="reserved"), False),
        (committed("reservations", phase="reserving", held=50), False),
        (committed("payments"), False),
    ],
)
def test_a_commit_is_known_by_table_and_state(moment: Moment, expected: bool) -> None:
    """Alone or in a transaction. Before it is acknowledged, or where it is refused, nothing is."""
    stock = {"Update": {"TableName": "orderstream-stock"}}
    for call in (
        dynamodb("PutItem", RESERVING),
        dynamodb("TransactWriteItems", {"TransactItems": [{"Put": RESERVING}, stock]}),
    ):
        assert moment(call, DONE) is expected
        assert not moment(call, None)
        assert not moment(call, REFUSED)


def test_a_payments_phase_stands_within_its_record() -> None:
    """The state of a payment is wrapped in what its responses need."""
    call = dynamodb("PutItem", put("payments", {"payment": {"phase": "refunding"}}))
    assert committed("payments", phase="refunding")(call, DONE)
    assert not committed("payments", phase="captured")(call, DONE)


def test_a_checkpoint_is_told_from_a_renewal() -> None:
    """Both update the lease; only one of them moves it forward."""
    values = {":leaseCounter": {"N": "2"}}
    lease = {"TableName": "orderstream-saga-consumer", "ExpressionAttributeValues": values}
    moved = {**lease, "ExpressionAttributeValues": {**values, ":checkpoint": {"S": "7"}}}
    assert not checkpoint("saga")(dynamodb("UpdateItem", lease), None)
    assert checkpoint("saga")(dynamodb("UpdateItem", moved), None)
    assert not checkpoint("saga")(dynamodb("UpdateItem", moved), DONE)
    assert not checkpoint("shipping")(dynamodb("UpdateItem", moved), None)


def test_the_second_moment_counts_only_after_the_first() -> None:
    """A checkpoint before the publish is not the window; and the first moment stops nobody."""
    publish, delete = Call("x", "kinesis", "PutRecords", b""), Call("x", "sqs", "DeleteMessage", b"")
    moment = after(answered("kinesis", "PutRecords"), asked("sqs", "DeleteMessage"))
    assert not moment(delete, None)
    assert not moment(publish, REFUSED)
    assert not moment(delete, None)
    assert not moment(publish, DONE)
    assert moment(delete, None)


def test_one_row_is_told_from_the_others() -> None:
    """Only the row that was named."""

    def call(sort: str) -> Call:
        return dynamodb("DeleteItem", {"TableName": "orderstream-t", "Key": {"sk": {"S": sort}}})

    assert row_deleted("t", "a")(call("a"), None)
    assert not row_deleted("t", "a")(call("b"), None)


def test_there_is_a_window_at_each_boundary_between_two_chunks() -> None:
    """60 lines in chunks of 25 have two boundaries, from either end."""
    assert [window.name for window in chunk_windows(60, 25, release=False)] == [
        "reserving, 25 lines held",
        "reserving, 50 lines held",
    ]
    assert [window.name for window in chunk_windows(60, 25, release=True)] == [
        "releasing, 35 lines held",
        "releasing, 10 lines held",
    ]
