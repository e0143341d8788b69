"""Requests against botocore's service model, and the faults' own rules."""

import pytest
from botocore.exceptions import ClientError

from orderstream import Producer
from orderstream.testing import FakeKinesis, Fault, FaultKind, KinesisError
from orderstream.testing.faults import faults_from_json


@pytest.mark.parametrize(
    "wrong",
    [
        {"rate": 1.5},
        {"rate": -0.1},
        {"times": 0},
        {"skip": -1},
        {"seconds": -1},
        {"kind": "nonsense"},
        {"error": "ProvisionedThroughputExceeded"},
        {"error": "ConnectionClosedError"},
        {"kind": "lose_response", "error": "InternalFailure"},
        {"kind": "delay", "error": "InternalFailure"},
        {"operation": "ListShards", "kind": "fail_records"},
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    """A fault that could never strike as meant is an error where it is made."""
    with pytest.raises(ValueError, match=r"\w"):
        Fault(**{"operation": "PutRecord", **wrong})  # type: ignore[arg-type]


def test_a_misspelt_operation_is_refused_with_the_right_name() -> None:
    """A fault of an operation that Kinesis does not have would never strike: its test would prove nothing."""
    with pytest.raises(ValueError, match=r"did you mean PutRecords\?"):
        Fault(operation="PutRecrods")


@pytest.mark.parametrize("code", ["InternalFailure", "KMSThrottlingException", "ExpiredTokenException"])
def test_any_error_that_kinesis_has_can_be_asked_for(code: str) -> None:
    """The model's own errors, and those that every service has."""
    kinesis = FakeKinesis()
    kinesis.faults.add(Fault(operation="ListStreams", error=code))
    with pytest.raises(ClientError, match=code):
        kinesis.client().list_streams()


def test_faults_are_read_from_json() -> None:
    """One fault or a list, with the fields of ``Fault``."""
    assert faults_from_json(b'{"operation": "*"}') == [Fault(operation="*")]
    listed = faults_from_json(b'[{"operation": "PutRecord", "kind": "delay", "seconds": 2}]')
    assert listed == [Fault(operation="PutRecord", kind=FaultKind.DELAY, seconds=2)]


def test_the_same_seed_strikes_the_same_records() -> None:
    """Random rates repeat themselves under a seed and differ under another."""

    def failures(seed: int) -> list[bool]:
        kinesis = FakeKinesis(seed=seed)
        kinesis.faults.add(Fault(operation="PutRecords", kind=FaultKind.FAIL_RECORDS, rate=0.3, times=None))
        kinesis.call("CreateStream", {"StreamName": "orders", "ShardCount": 1})
        records = [{"Data": b"", "PartitionKey": "a"}] * 100
        results = kinesis.call("PutRecords", {"StreamName": "orders", "Records": records}).response["Records"]
        return ["ErrorCode" in result for result in results]

    assert failures(1) == failures(1) != failures(2)


def test_a_delay_is_slept_in_the_callers_thread() -> None:
    """The injected sleep is told how late the response is."""
    slept: list[float] = []
    kinesis = FakeKinesis(sleep=slept.append)
    kinesis.faults.add(Fault(operation="CreateStream", kind=FaultKind.DELAY, seconds=2.5))
    kinesis.client().create_stream(StreamName="orders", ShardCount=1)
    assert slept == [2.5]


def test_spent_faults_are_no_longer_pending() -> None:
    """``pending`` shows what can still strike, ``clear`` empties it, ``calls`` counts rejected calls too."""
    kinesis = FakeKinesis()
    endless = Fault(operation="ListStreams", times=None, skip=1)
    kinesis.faults.add(Fault(operation="ListStreams"), endless)
    with pytest.raises(KinesisError):
        kinesis.call("ListStreams", {})
    assert kinesis.faults.pending == (endless,)
    kinesis.faults.clear()
    assert kinesis.faults.pending == ()
    kinesis.call("ListStreams", {})
    assert kinesis.calls["ListStreams"] == 2


def test_a_test_may_look_inside() -> None:
    """``shards`` and ``records`` show what is held, whatever the limits."""
    kinesis = FakeKinesis()
    kinesis.call("CreateStream", {"StreamName": "orders", "ShardCount": 2})
    kinesis.call(
        "PutRecord", {"StreamName": "orders", "Data": b"x", "PartitionKey": "a", "ExplicitHashKey": "0"}
    )
    assert [len(shard) for shard in kinesis.shards("orders")] == [1, 0]
    (record,) = kinesis.records("orders", "shardId-000000000000")
    assert (record.data, record.partition_key) == (b"x", "a")


def test_what_an_application_has_put_can_be_told() -> None:
    """``user_records`` deaggregates records: a test sees payloads and keys, not how they travelled."""
    kinesis = FakeKinesis()
    kinesis.client().create_stream(StreamName="orders", ShardCount=2)
    with Producer("orders", client=kinesis.client()) as producer:
        for number in range(10):
            producer.put(b"%d" % number, f"key-{number}")
    kinesis.client().put_record(StreamName="orders", Data=b"plain", PartitionKey="k")
    told = {(record.partition_key, record.data) for record in kinesis.user_records("orders")}
    assert told == {(f"key-{number}", b"%d" % number) for number in range(10)} | {("k", b"plain")}


def test_the_client_hears_nothing_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """A profile that does not exist and an endpoint in the environment disturb no test."""
    monkeypatch.setenv("AWS_PROFILE", "no-such-profile")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    client = FakeKinesis(region="eu-west-1").client()
    assert client.list_streams()["StreamNames"] == []
    assert (client.meta.region_name, client.meta.endpoint_url) == ("eu-west-1", "https://kinesis.fake")
