"""Our processors behind ``amazon_kclpy``: what the daemon says reaches them, and what they say the daemon."""

import base64
import datetime as dt
import io
import json
import threading
from typing import Any

import pytest
from amazon_kclpy.kcl import KCLProcess

from orderstream.errors import DependencyError
from orderstream_consumer.engines.kcl.adapter import CRASHED, MultiLangProcessor
from orderstream_consumer.processing.errors import CheckpointRefusedError, LeaseLostError
from orderstream_consumer.processing.processor import (
    Checkpointer,
    InitializationInput,
    ProcessRecordsInput,
    StopSignal,
)
from orderstream_consumer.processing.progress import ShardProgress, Waiting
from orderstream_consumer.processing.record import Position

SHARD = "shardId-000000000000"
NOW = dt.datetime(2010, 12, 1, tzinfo=dt.UTC)


class Journal:
    """A processor that writes down what it is told, and checkpoints as it is bidden."""

    def __init__(self) -> None:
        self.calls: list[Any] = []
        self.checkpoints: list[Position | None] = []
        self.errors: list[Exception] = []
        self.raises: Exception | None = None
        self.raises_last: Exception | None = None
        self.kept: Checkpointer | None = None

    def __call__(self, shard_id: str, stop: StopSignal) -> "Journal":
        self.calls.append(("made", shard_id, stop.is_set()))
        return self

    def initialize(self, initialization: InitializationInput) -> None:
        self.calls.append(initialization)

    def process_records(self, batch: ProcessRecordsInput) -> None:
        if self.raises:
            raise self.raises
        self.calls.append(batch)
        self._checkpoint(batch.checkpointer)

    def lease_lost(self) -> None:
        self.calls.append("lease_lost")

    def shard_ended(self, checkpointer: Checkpointer) -> None:
        self.calls.append("shard_ended")
        if self.raises_last:
            raise self.raises_last
        self._checkpoint(checkpointer)

    def shutdown_requested(self, checkpointer: Checkpointer) -> None:
        self.calls.append("shutdown_requested")
        if self.raises_last:
            raise self.raises_last
        self._checkpoint(checkpointer)

    def _checkpoint(self, checkpointer: Checkpointer) -> None:
        self.kept = checkpointer
        for position in self.checkpoints:
            try:
                checkpointer.checkpoint(position)
            except (CheckpointRefusedError, LeaseLostError, DependencyError) as error:
                self.errors.append(error)


def play(journal: Journal, *lines: dict[str, Any]) -> tuple[list[dict[str, Any]], list[ShardProgress]]:
    """Let the daemon say some lines; returns what it reads, and the progress that the worker hears."""
    said, told = io.StringIO(), list[ShardProgress]()
    heard = io.StringIO("".join(json.dumps(line) + "\n" for line in lines))

    def crash(status: int) -> None:
        assert status == CRASHED
        raise SystemExit(status)

    processor = MultiLangProcessor(journal, threading.Event(), told.append, lambda: NOW, crash)
    KCLProcess(processor, heard, said, io.StringIO()).run()
    return [json.loads(line) for line in said.getvalue().splitlines() if line], told


def initialize(sequence: str = "TRIM_HORIZON", sub: int = 0) -> dict[str, Any]:
    return {
        "action": "initialize",
        "shardId": SHARD,
        "sequenceNumber": sequence,
        "subSequenceNumber": sub,
    }


def process(*positions: tuple[int, int], millis_behind_latest: int = 0) -> dict[str, Any]:
    return {
        "action": "processRecords",
        "millisBehindLatest": millis_behind_latest,
        "records": [
            {
                "action": "record",
                "sequenceNumber": str(sequence),
                "subSequenceNumber": sub,
                "approximateArrivalTimestamp": 1_291_161_600_123,
                "partitionKey": f"order-{sequence}",
                "data": base64.b64encode(b"data").decode(),
            }
            for sequence, sub in positions
        ],
    }


def response(error: str | None = None) -> dict[str, Any]:
    return {"action": "checkpoint", "sequenceNumber": None, "subSequenceNumber": None, "error": error}


def done(action: str) -> dict[str, Any]:
    return {"action": "status", "responseFor": action}


def test_records_arrive_whole() -> None:
    """A user record keeps its position inside the aggregate, its key, its bytes and its arrival in UTC."""
    journal = Journal()
    said, _ = play(journal, initialize(), process((7, 0), (7, 1), millis_behind_latest=40))
    assert said == [done("initialize"), done("processRecords")]
    made, initialization, batch = journal.calls
    assert made == ("made", SHARD, False)
    assert initialization == InitializationInput(SHARD, None)
    assert batch.millis_behind_latest == 40
    assert [record.position for record in batch.records] == [Position(7, 0), Position(7, 1)]
    first = batch.records[0]
    assert (first.shard_id, first.partition_key, first.data) == (SHARD, "order-7", b"data")
    assert first.approximate_arrival == dt.datetime(2010, 12, 1, 0, 0, 0, 123_000, dt.UTC)


def test_shard_goes_on_where_it_was() -> None:
    """A checkpoint inside an aggregate comes back as it was set, by whichever engine."""
    journal = Journal()
    play(journal, initialize("496804579438", 3))
    assert journal.calls[1] == InitializationInput(SHARD, Position(496804579438, 3))


def test_checkpoint_reaches_the_daemon() -> None:
    """A checkpoint carries sequence and sub-sequence number; the call ends after it is answered."""
    journal = Journal()
    journal.checkpoints = [Position(7, 1)]
    said, told = play(journal, initialize(), process((7, 0), (7, 1), (9, 0)), response())
    assert said[1:] == [
        {"action": "checkpoint", "sequenceNumber": "7", "subSequenceNumber": 1},
        done("processRecords"),
    ]
    assert told[-1].checkpoint == Position(7, 1)
    assert not journal.errors


def test_what_is_not_handled_is_told_before_and_after_the_call() -> None:
    """A call that does not return must not look like a shard without records."""
    journal = Journal()
    journal.checkpoints = [Position(9)]
    _, told = play(journal, initialize(), process((7, 0), (9, 0)), response(), process((11, 0)))
    arrived = dt.datetime(2010, 12, 1, 0, 0, 0, 123_000, dt.UTC)
    processing = [progress for progress in told if progress.state == "PROCESSING"]
    assert [progress.waiting for progress in processing] == [
        None,
        Waiting(arrived, NOW),  # the call begins
        None,  # the checkpoint
        None,  # the call has returned
        Waiting(arrived, NOW),  # the next one begins
        Waiting(arrived, NOW),  # and returns without a checkpoint
    ]
    assert processing[-1].checkpoint_at == NOW


def test_checkpoint_never_goes_back() -> None:
    """A position before the present checkpoint changes nothing, as under the embedded engine."""
    journal = Journal()
    journal.checkpoints = [Position(7)]
    said, _ = play(journal, initialize("8"), process((9, 0)))
    assert said == [done("initialize"), done("processRecords")]
    assert not journal.errors


def test_checkpoint_beyond_what_was_handed_over_is_refused() -> None:
    """No checkpoint runs ahead: what was never handed over cannot be done."""
    journal = Journal()
    journal.checkpoints = [Position(10)]
    said, _ = play(journal, initialize(), process((9, 0)))
    assert said == [done("initialize"), done("processRecords")]
    assert [type(error) for error in journal.errors] == [CheckpointRefusedError]


def test_checkpoint_after_the_call_is_refused() -> None:
    """The daemon reads checkpoints only while a call is answered: a late one would break the protocol."""
    journal = Journal()
    said, _ = play(journal, initialize(), process((9, 0)))
    assert journal.kept is not None
    with pytest.raises(CheckpointRefusedError, match="has returned"):
        journal.kept.checkpoint(Position(9))
    assert said == [done("initialize"), done("processRecords")]


@pytest.mark.parametrize(
    ("answered", "error"),
    [
        ("ShutdownException", LeaseLostError),
        ("ThrottlingException", DependencyError),
        ("KinesisClientLibDependencyException", DependencyError),
        ("RuntimeException", DependencyError),
    ],
)
def test_refused_checkpoint_says_why(answered: str, error: type[Exception]) -> None:
    """A lost lease and trouble of any name are told apart; the checkpoint counts as not set."""
    journal = Journal()
    journal.checkpoints = [Position(9)]
    _, told = play(journal, initialize(), process((9, 0)), response(answered))
    assert [type(caught) for caught in journal.errors] == [error]
    assert told[-1].checkpoint == "TRIM_HORIZON"


def test_end_of_shard_is_checkpointed() -> None:
    """At the end of a shard a checkpoint without a position means SHARD_END, which KCL waits for."""
    journal = Journal()
    journal.checkpoints = [None]
    said, told = play(journal, initialize(), {"action": "shardEnded"}, response())
    assert said[1:] == [
        {"action": "checkpoint", "sequenceNumber": None, "subSequenceNumber": None},
        done("shardEnded"),
    ]
    assert told[-1].checkpoint == "SHARD_END"


def test_shutdown_may_checkpoint_and_a_lost_lease_may_not() -> None:
    """The last two of the five calls reach the processor; only the first of them takes a checkpoint."""
    journal = Journal()
    said, told = play(
        journal,
        initialize(),
        process((9, 0)),
        {"action": "shutdownRequested"},
        {"action": "leaseLost"},
    )
    assert journal.calls[-2:] == ["shutdown_requested", "lease_lost"]
    assert [line["responseFor"] for line in said[-2:]] == ["shutdownRequested", "leaseLost"]
    assert [progress.state for progress in told][-3:] == ["STOPPING", "DONE", "LEASE_LOST"]


@pytest.mark.parametrize("last", ["shardEnded", "shutdownRequested"])
def test_a_lease_that_is_lost_in_the_last_call_ends_no_process(last: str) -> None:
    """KCL skips nothing after it; the daemon would end with the process, and with it every other shard's."""
    journal = Journal()
    journal.raises_last = LeaseLostError(SHARD, "KCL says so")
    said, _ = play(journal, initialize(), {"action": last})
    assert said == [done("initialize"), done(last)]


@pytest.mark.parametrize("last", ["shardEnded", "shutdownRequested"])
def test_another_error_of_the_last_call_ends_the_process(last: str) -> None:
    """What nobody expected is no lost lease: the shard must not pass for done."""
    journal = Journal()
    journal.raises_last = RuntimeError("a fault of ours")
    assert crashed(journal, initialize(), {"action": last}) == [done("initialize")]


def crashed(journal: Journal, *lines: dict[str, Any]) -> list[dict[str, Any]]:
    """Let the daemon say some lines to a process that ends over them; returns what the daemon reads."""
    said = io.StringIO()
    heard = io.StringIO("".join(json.dumps(line) + "\n" for line in lines))

    def crash(status: int) -> None:
        raise SystemExit(status)

    processor = MultiLangProcessor(journal, threading.Event(), lambda _: None, lambda: NOW, crash)
    with pytest.raises(SystemExit) as ended:
        KCLProcess(processor, heard, said, io.StringIO()).run()
    assert ended.value.code == CRASHED
    return [json.loads(line) for line in said.getvalue().splitlines() if line]


def test_processor_that_raises_ends_the_process() -> None:
    """A crash is no response: KCL takes any response for "done" and would skip the batch."""
    journal = Journal()
    journal.raises = RuntimeError("a fault of ours")
    assert crashed(journal, initialize(), process((9, 0))) == [done("initialize")]


def test_a_record_that_cannot_be_taken_over_ends_the_process() -> None:
    """Nothing between the daemon and the processor may fail with a response, or the batch is skipped."""
    broken = process((9, 0), (10, 0))
    broken["records"][1]["sequenceNumber"] = "no number"
    assert crashed(Journal(), initialize(), broken) == [done("initialize")]


def test_a_checkpoint_that_kcl_finds_fault_with_ends_the_process() -> None:
    """The shard would stand still under a lease that is renewed; a new process begins where it stood."""
    journal = Journal()
    journal.checkpoints = [Position(9)]
    said = crashed(journal, initialize(), process((9, 0)), response("InvalidStateException"))
    assert done("processRecords") not in said
