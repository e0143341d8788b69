"""The bridge plays AWS's part: its record shape, every change at least once, and on from where it was."""

import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from fakes.stock_changes import captured
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_playground.local.stock_bridge import StockBridge, change_record

AT = dt.datetime(2010, 12, 1, 8, 26, 0, 180_250, tzinfo=dt.UTC)


def streamed(number: int = 1) -> dict[str, Any]:
    """The fixture's change as DynamoDB Streams gives it to boto3."""
    record = captured()
    body = record["dynamodb"] | {
        "ApproximateCreationDateTime": AT,
        "SequenceNumber": f"{number:030}",
        "StreamViewType": "NEW_AND_OLD_IMAGES",
    }
    del body["ApproximateCreationDateTimePrecision"]
    return {
        "eventID": record["eventID"] if number == 1 else f"e-{number}",
        "eventName": "MODIFY",
        "eventVersion": "1.1",
        "eventSource": "aws:dynamodb",
        "awsRegion": "us-east-1",
        "dynamodb": body,
    }


def shape(value: object) -> object:
    """Field names in their order, without their values."""
    return [(name, shape(part)) for name, part in value.items()] if isinstance(value, dict) else None


def test_a_change_has_aws_s_shape() -> None:
    """Field for field and in AWS's order what the fixture has; a service's deletion keeps its mark."""
    made = json.loads(change_record(streamed(), "orderstream-stock"))
    assert made == captured()
    assert shape(made) == shape(captured())
    expired = streamed() | {"userIdentity": {"Type": "Service", "PrincipalId": "dynamodb.amazonaws.com"}}
    assert json.loads(change_record(expired, "t"))["userIdentity"] == expired["userIdentity"]


class Aws:
    """One table with a stream of one shard, and a Kinesis stream; calls fail as they are told to."""

    def __init__(self, changes: int) -> None:
        self.records = [streamed(number) for number in range(1, changes + 1)]
        self.put: list[dict[str, Any]] = []
        self.refuse = 0
        self.closed = False

    def describe_table(self, **_: str) -> Any:
        return {"Table": {"LatestStreamArn": "arn"}}

    def describe_stream(self, **_: str) -> Any:
        return {"StreamDescription": {"Shards": [{"ShardId": "shard-1"}]}}

    def get_shard_iterator(self, **request: str) -> Any:
        return {"ShardIterator": request.get("SequenceNumber", "0")}

    def get_records(self, **request: Any) -> Any:
        read = int(request["ShardIterator"])
        found = self.records[read : read + min(request["Limit"], 2)]
        more = not self.closed or read + len(found) < len(self.records)
        return {"Records": found} | ({"NextShardIterator": str(read + len(found))} if more else {})

    def put_records(self, **request: Any) -> Any:
        failed, self.refuse = self.refuse, 0
        self.put += request["Records"][failed:]
        results: list[dict[str, str]] = [{"ErrorCode": "InternalFailure"}] * failed
        results += [{"SequenceNumber": "1"}] * (len(request["Records"]) - failed)
        return {"FailedRecordCount": failed, "Records": results}

    def carried(self) -> list[str]:
        return [json.loads(entry["Data"])["eventID"] for entry in self.put]


def bridge_of(aws: Aws, folder: Path) -> StockBridge:
    return StockBridge(
        dynamodb=aws,
        changes=aws,
        kinesis=aws,
        table="orderstream-stock",
        stream="stock-changes",
        positions=folder / "positions.json",
    )


def ids(aws: Aws) -> list[str]:
    return [record["eventID"] for record in aws.records]


def test_every_change_is_carried_under_a_key_of_its_own(tmp_path: Path) -> None:
    """A random partition key each, as AWS draws it, so that changes spread over all shards."""
    aws = Aws(5)
    bridge = bridge_of(aws, tmp_path)
    assert [bridge.step() for _ in range(4)] == [2, 2, 1, 0]
    assert aws.carried() == ids(aws)
    assert len({entry["PartitionKey"] for entry in aws.put}) == 5
    assert bridge.carried == 5


def test_another_bridge_goes_on_where_the_last_one_was(tmp_path: Path) -> None:
    """What Kinesis has acknowledged is not carried again by a bridge that starts later."""
    aws = Aws(5)
    bridge_of(aws, tmp_path).step()
    later = bridge_of(aws, tmp_path)
    assert [later.step() for _ in range(3)] == [2, 1, 0]
    assert aws.carried() == ids(aws)


def test_a_refused_change_is_put_again_with_its_neighbours(tmp_path: Path) -> None:
    """Nothing is passed over: the batch comes again, so what was accepted is there twice."""
    aws = Aws(2)
    aws.refuse = 1
    with pytest.raises(LocalEnvironmentError, match="put again"):
        bridge_of(aws, tmp_path).step()
    assert bridge_of(aws, tmp_path).step() == 2
    assert aws.carried() == [ids(aws)[1], *ids(aws)]


def test_a_closed_shard_is_read_to_its_end_and_listed_again(tmp_path: Path) -> None:
    """The end of a shard is not the end of the changes."""
    aws = Aws(2)
    aws.closed = True
    bridge = bridge_of(aws, tmp_path)
    assert [bridge.step(), bridge.step()] == [2, 0]
    aws.records.append(streamed(3))
    assert bridge.step() == 1
    assert aws.carried() == ids(aws)


def test_it_waits_only_while_something_may_be_left(tmp_path: Path) -> None:
    """The mark that a demo waits for falls once a look has brought nothing, and the loop ends when told."""
    aws, stop = Aws(3), threading.Event()
    bridge = bridge_of(aws, tmp_path)
    assert bridge.waiting

    class StopWhenIdle(threading.Event):
        def wait(self, timeout: float | None = None) -> bool:
            stop.set()
            return True

        def is_set(self) -> bool:
            return stop.is_set()

    bridge.run(StopWhenIdle())
    assert not bridge.waiting
    assert aws.carried() == ids(aws)


class Stopper(threading.Event):
    """Lets a loop turn so often, without a pause."""

    def __init__(self, turns: int) -> None:
        super().__init__()
        self.turns = turns

    def wait(self, timeout: float | None = None) -> bool:
        self.turns -= 1
        if self.turns == 0:
            self.set()
        return self.is_set()


@pytest.mark.parametrize("odd", [None, {}, [], "page", {"Records": None}, {"Records": [{}]}])
@pytest.mark.parametrize(
    "operation", ["describe_table", "describe_stream", "get_shard_iterator", "get_records", "put_records"]
)
def test_an_odd_response_neither_ends_the_bridge_nor_skips_a_change(
    tmp_path: Path, operation: str, odd: object
) -> None:
    """A gateway's page or an empty response says nothing: what was not acknowledged is put again."""
    aws, responses = Aws(3), [odd]
    normal = getattr(aws, operation)

    class Odd(Aws):
        def __getattribute__(self, name: str) -> Any:
            if name == operation and responses:
                return lambda **_: responses.pop()
            return normal if name == operation else getattr(aws, name)

    bridge = bridge_of(Odd(0), tmp_path)
    bridge.run(Stopper(4))
    assert responses == []
    assert set(aws.carried()) == {record["eventID"] for record in aws.records}
