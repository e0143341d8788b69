"""What must hold of a pipeline that has come to rest, read from its stores as they are.

The books say what became of the orders; this says that nothing was passed over on the way. It uses none of
the code that it judges; who reads which stream, and what is called how, it takes from the topology.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Self

from chaos.clients import client_of
from chaos.histories import history_violations
from chaos.progress import Checkpoint, checkpoints_of
from chaos.streams import Message, Position, Stream, StreamReader
from orderstream_consumer.delivery import PARKING
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import QueueSpec, StreamSpec
from orderstream_workers.runtime.topology.pipeline import ARCHIVE

SETTINGS = Settings()
DECLARED = topology(SETTINGS)
READERS = {SETTINGS.name_of(stream): DECLARED.readers(stream) for stream in DECLARED.of(StreamSpec)}
"""The applications that read each stream, as they are declared."""

PARKED = SETTINGS.name_of(PARKING)
QUEUES = [QueueSpec.dead_letters_of(SETTINGS.name_of(queue)) for queue in DECLARED.of(QueueSpec)]
"""The queues of dead letters."""

BUCKET = SETTINGS.name_of(ARCHIVE)


class Inspection:
    """Looks at the stores of a pipeline, as often as one asks; a context manager.

    Args:
        kinesis_url: Where Kinesis is.
        aws_url: Where the rest of AWS is.
        leases_are_deleted: Whether the leases of ended shards may be gone, as KCL deletes them.
    """

    def __init__(self, kinesis_url: str, aws_url: str, *, leases_are_deleted: bool = False) -> None:
        self._clients = {
            service: client_of(service, kinesis_url if service == "kinesis" else aws_url)
            for service in ("kinesis", "dynamodb", "s3", "sqs")
        }
        self._streams = {name: StreamReader(self._clients["kinesis"], name) for name in READERS}
        self._leases_are_deleted = leases_are_deleted

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for client in self._clients.values():
            client.close()

    def messages(self) -> Sequence[Message]:
        """The messages of the orders' stream, in its order."""
        return self._streams["orders"].read().messages

    def violations(self) -> list[str]:
        """One line for each thing that is wrong with streams, leases, archive and dead letters.

        Histories are judged once the rest is right: until then the pipeline is at work.
        """
        found: list[str] = []
        streams = {name: reader.read() for name, reader in self._streams.items()}
        for name, readers in READERS.items():
            stream = streams[name]
            leases = {reader: checkpoints_of(self._clients["dynamodb"], reader) for reader in readers}
            found += _unread(leases, stream, leases_are_deleted=self._leases_are_deleted)
            if "archiver" in leases:
                found += _archive(_objects(self._clients["s3"]), stream, leases["archiver"])
        found += _dead_letters(self._clients["dynamodb"], self._clients["sqs"])
        return found or list(history_violations(streams["orders"].messages))


def _archive(
    objects: dict[str, list[tuple[str, str, str]]],
    stream: Stream,
    checkpoints: Mapping[str, Checkpoint],
) -> Iterator[str]:
    """Each object begins where the one before it ended, and the last one where the stream ends."""
    for shard, positions in stream.records.items():
        chain = objects.get(shard, [])
        end = ""
        for start, to, previous in chain:
            if previous != end:
                yield f"archive: {shard} from {start} follows {previous or 'nothing'}, not {end or 'nothing'}"
            end = to
        if positions and end != "{}-{}".format(*positions[-1]):
            yield f"archive: {shard} ends at {end or 'nothing'}, the stream at {positions[-1]}"
        checkpoint = checkpoints.get(shard)
        if isinstance(checkpoint, tuple) and chain and checkpoint > _position(end):
            yield f"archive: {shard} is checkpointed at {checkpoint} and archived up to {end}"


def _unread(
    leases: Mapping[str, Mapping[str, Checkpoint]], stream: Stream, *, leases_are_deleted: bool = False
) -> Iterator[str]:
    """At rest a checkpoint is the last record, or the end of a shard that has ended.

    Behind it something would be unread, and ahead of it nothing was.
    """
    for application, checkpoints in leases.items():
        for shard, positions in stream.records.items():
            if not positions:
                continue
            has_ended = shard in stream.closed
            checkpoint = checkpoints.get(shard)
            if checkpoint is None:
                if not (leases_are_deleted and has_ended):
                    yield f"leases: {application} has none of {shard}"
            elif checkpoint != positions[-1] and not (checkpoint == "SHARD_END" and has_ended):
                yield f"leases: {application} is at {checkpoint} of {shard}, which ends at {positions[-1]}"


def _dead_letters(dynamodb: Any, sqs: Any) -> Iterator[str]:
    for row in dynamodb.scan(TableName=PARKED, ConsistentRead=True)["Items"]:
        yield f"dead letters: {row['pk']['S']} {row['sk']['S']}"
    for queue in QUEUES:
        url = sqs.get_queue_url(QueueName=queue)["QueueUrl"]
        counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        if (waiting := counted["Attributes"]["ApproximateNumberOfMessages"]) != "0":
            yield f"dead letters: {waiting} messages in {queue}"


def _objects(s3: Any) -> dict[str, list[tuple[str, str, str]]]:
    """Start, end and the end of the one before of each object, in order, by shard."""
    found: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET):
        for summary in page.get("Contents", ()):
            told = s3.head_object(Bucket=BUCKET, Key=summary["Key"])["Metadata"]
            shard = summary["Key"].split("shard=")[1].split("/")[0]
            found[shard].append((told["from"], told["to"], told.get("previous", "")))
    return {shard: sorted(chain, key=lambda entry: _position(entry[0])) for shard, chain in found.items()}


def _position(text: str) -> Position:
    sequence, _, sub = text.partition("-")
    return int(sequence), int(sub)
