"""Faults on demand: the same in the process and served."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from orderstream.testing import FakeKinesis, Fault

Arm = Callable[..., None]
MAKE_TWO = {"StreamName": "orders", "ShardCount": 2}


class Subject:
    """A client, a way to arm faults, and the delays that calls met."""

    def __init__(
        self, client: Any, arm: Callable[[dict[str, Any]], None], disarm: Callable[[], None]
    ) -> None:
        self.client = client
        self.arm = lambda **fault: arm(fault)
        self.disarm = disarm

    def put(self, *keys: int) -> list[str]:
        """Put a record under each explicit hash key; the error code of each, empty if it was taken."""
        records = [{"Data": b"x", "PartitionKey": "a", "ExplicitHashKey": str(key)} for key in keys]
        response = self.client.put_records(StreamName="orders", Records=records)
        codes = [str(result.get("ErrorCode") or "") for result in response["Records"]]
        assert response["FailedRecordCount"] == sum(map(bool, codes))
        return codes

    def held(self, shard: int = 0) -> int:
        """How many records a shard holds."""
        request = {
            "StreamName": "orders",
            "ShardId": f"shardId-{shard:012d}",
            "ShardIteratorType": "TRIM_HORIZON",
        }
        start = self.client.get_shard_iterator(**request)["ShardIterator"]
        return len(self.client.get_records(ShardIterator=start)["Records"])

    def error_of_put(self) -> tuple[str, int]:
        """The code and HTTP status of a put that is refused."""
        with pytest.raises(ClientError) as caught:
            self.put(0)
        response = caught.value.response
        return str(response["Error"]["Code"]), int(response["ResponseMetadata"]["HTTPStatusCode"])


@pytest.fixture(params=["in the process", "served"])
def subject(request: pytest.FixtureRequest) -> Iterator[Subject]:
    """Two shards, no faults yet."""
    if request.param == "in the process":
        kinesis = FakeKinesis(seed=7)
        client: Any = kinesis.client()
        subject = Subject(client, lambda fault: kinesis.faults.add(Fault(**fault)), kinesis.faults.clear)
    else:
        server = request.getfixturevalue("server")
        client = server.client(read_timeout=1.0)
        subject = Subject(client, server.arm, server.disarm)
    client.create_stream(**MAKE_TWO)
    yield subject
    subject.disarm()
    client.delete_stream(StreamName="orders")
    client.close()


def test_a_call_is_rejected_so_many_times(subject: Subject) -> None:
    """A rejected call has no effect; after its times the fault is spent."""
    subject.arm(operation="PutRecords", times=2)
    assert [subject.error_of_put() for _ in range(2)] == [("ProvisionedThroughputExceededException", 400)] * 2
    assert subject.put(0) == [""]
    assert subject.held() == 1


@pytest.mark.parametrize(
    ("code", "status"),
    [("InternalFailure", 500), ("ServiceUnavailable", 503), ("AccessDeniedException", 400)],
)
def test_an_error_has_its_status(subject: Subject, code: str, status: int) -> None:
    """Errors of the service answer 5xx, errors of the caller 400."""
    subject.arm(operation="PutRecords", error=code)
    assert subject.error_of_put() == (code, status)


def test_the_first_calls_may_pass(subject: Subject) -> None:
    """``skip`` calls go through before the fault strikes."""
    subject.arm(operation="PutRecords", skip=1)
    assert subject.put(0) == [""]
    assert subject.error_of_put()[1] == 400


def test_a_fault_may_keep_to_a_shard(subject: Subject) -> None:
    """A call is rejected only if it touches the shard."""
    subject.arm(operation="*", shard_id="shardId-000000000001", times=None)
    assert subject.put(0) == [""]
    with pytest.raises(ClientError):
        subject.put(0, 2**127)
    with pytest.raises(ClientError):
        subject.held(1)
    assert subject.held(0) == 1


def test_a_fault_may_keep_to_a_stream(subject: Subject) -> None:
    """Calls on other streams pass, reads by iterator too."""
    subject.arm(operation="*", stream="others", times=None)
    assert (subject.put(0), subject.held()) == ([""], 1)


def test_single_records_fail(subject: Subject) -> None:
    """Records of a shard fail one by one while the others are taken."""
    subject.arm(
        operation="PutRecords",
        kind="fail_records",
        error="InternalFailure",
        shard_id="shardId-000000000001",
        times=2,
    )
    top = 2**127
    assert subject.put(0, top, top, top) == ["", "InternalFailure", "InternalFailure", ""]
    assert (subject.held(0), subject.held(1)) == (1, 1)


def test_a_lost_response_leaves_its_record(subject: Subject) -> None:
    """The connection ends without a response, but the record is there."""
    subject.arm(operation="PutRecords", kind="lose_response")
    with pytest.raises(ConnectionClosedError):
        subject.put(0)
    assert subject.held() == 1
    assert subject.put(0) == [""]


def test_a_lost_response_may_time_out(subject: Subject) -> None:
    """ReadTimeoutError: the caller waits in vain, but the record is there."""
    subject.arm(operation="PutRecords", kind="lose_response", error="ReadTimeoutError")
    with pytest.raises(ReadTimeoutError):
        subject.put(0)
    assert subject.held() == 1


def test_lost_responses_are_errors_of_the_connection(subject: Subject) -> None:
    """Whoever catches botocore's HTTPClientError catches both."""
    subject.arm(operation="PutRecords", kind="lose_response", times=1)
    with pytest.raises(HTTPClientError):
        subject.put(0)


def test_the_shard_map_may_be_unavailable(subject: Subject) -> None:
    """ListShards fails while puts go on."""
    subject.arm(operation="ListShards", error="LimitExceededException", times=None)
    with pytest.raises(subject.client.exceptions.LimitExceededException):
        subject.client.list_shards(StreamName="orders")
    assert subject.put(0) == [""]
    subject.disarm()
    assert len(subject.client.list_shards(StreamName="orders")["Shards"]) == 2


def test_a_rate_strikes_now_and_then(subject: Subject) -> None:
    """At a rate of a half, of 400 records some fail and some do not."""
    subject.arm(operation="PutRecords", kind="fail_records", rate=0.5, times=None)
    failed = sum(map(bool, subject.put(*[0] * 400)))
    assert 100 < failed < 300
    assert subject.held() == 400 - failed


def test_a_late_response_is_a_response(subject: Subject) -> None:
    """A delayed call takes effect and is answered."""
    subject.arm(operation="PutRecords", kind="delay", seconds=0.05)
    assert subject.put(0) == [""]
    assert subject.held() == 1
