"""The producer's core, step by step: its inputs, and what its commands say."""

from fakes.kpl import TinyKinesis
from orderstream import ProducerConfig
from orderstream.kinesis.shard import Shard
from orderstream.producer.core.messages import (
    Command,
    Complete,
    GiveUp,
    MapLoaded,
    RequestCompleted,
    SendPutRecords,
    Tick,
)
from orderstream.producer.core.pending import PendingRecord
from orderstream.producer.core.pipeline import Pipeline
from orderstream.producer.outcome import Acknowledged, Failure, Landed, Rejected

HALF = 2**127
THROTTLED = Failure("ProvisionedThroughputExceededException", "slow down", retryable=True)
DENIED = Failure("AccessDeniedException", "no", retryable=False)


def core(**settings: object) -> Pipeline:
    return Pipeline(ProducerConfig(**settings), lambda: 1.0)


def ready(kinesis: TinyKinesis, **settings: object) -> Pipeline:
    machine = core(**settings)
    machine.on(Tick(), 0.0)
    machine.on(MapLoaded(kinesis.shards), 0.0)
    return machine


def pending(data: bytes, hash_key: int = 0) -> PendingRecord:
    return PendingRecord("key", data, hash_key, len(data) + 3)


def sent(commands: list[Command]) -> list[SendPutRecords]:
    return [command for command in commands if isinstance(command, SendPutRecords)]


def completed(commands: list[Command]) -> list[tuple[bytes, Acknowledged | Rejected]]:
    completions = [
        complete
        for command in commands
        for complete in (command.completions if isinstance(command, GiveUp) else [command])
        if isinstance(complete, Complete)
    ]
    return [
        (record.data, public_outcome(complete.outcome))
        for complete in completions
        for record in complete.records
    ]


def public_outcome(outcome: Landed | Rejected) -> Acknowledged | Rejected:
    return Acknowledged(outcome.shard_id, outcome.sequence_number) if isinstance(outcome, Landed) else outcome


def carried(command: SendPutRecords) -> list[list[bytes]]:
    return [[user.data for user in entry.user_records] for entry in command.entries]


def response(kinesis: TinyKinesis, command: SendPutRecords) -> RequestCompleted:
    return RequestCompleted(command.request_id, [kinesis.take(entry) for entry in command.entries])


def split(kinesis: TinyKinesis) -> tuple[Shard, Shard]:
    kinesis.split(kinesis.open[0], HALF)
    left, right = kinesis.open
    return left, right
