"""What the streams hold, as an outsider reads them: AWS's deaggregator, then plain JSON."""

import base64
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any, Final

from aws_kinesis_agg.deaggregator import deaggregate_records

_PAUSE: Final = 0.25

Position = tuple[int, int]
"""Sequence and sub-sequence number. The fake numbers a stream's records in one sequence over all shards."""


@dataclass(frozen=True, slots=True)
class Message:
    """One user record.

    Attributes:
        shard: Where it is.
        position: Its number in the stream.
        arrived: When Kinesis took it, in seconds since 1970.
        body: Its bytes.
        envelope: The same, decoded; empty if it is no JSON object.
        delivered: False in an aggregate of another shard, which consumers discard whole, as KCL does: its
            producer sends it again.
    """

    shard: str
    position: Position
    arrived: float
    body: bytes
    envelope: Mapping[str, Any]
    delivered: bool = True

    @property
    def identity(self) -> tuple[str, str]:
        """Source and id, which together are unique in CloudEvents."""
        return self.envelope["source"], self.envelope["id"]

    @property
    def said(self) -> str:
        """For a person."""
        told = self.envelope
        return f"{told['type']} {told['id']} of {told['subject']} at {self.shard} {self.position}"


@dataclass(frozen=True, slots=True)
class Stream:
    """What a stream holds.

    Attributes:
        records: The positions of all user records, by shard.
        closed: The shards that have ended.
        messages: The user records that are delivered, in the order of the stream.
    """

    records: Mapping[str, Sequence[Position]]
    closed: frozenset[str]
    messages: Sequence[Message] = ()


class StreamReader:
    """Reads a stream from its beginning to its tip, and each time after that what has come since.

    Args:
        kinesis: A boto3 client.
        name: The stream's.
        sleep: Waits so many seconds when the stream has no throughput left for one more reader.
    """

    def __init__(self, kinesis: Any, name: str, sleep: Callable[[float], object] = time.sleep) -> None:
        self._kinesis = kinesis
        self._name = name
        self._sleep = sleep
        self._found: dict[str, list[Message]] = {}
        self._iterators: dict[str, str | None] = {}

    def read(self) -> Stream:
        """Everything that the stream holds."""
        closed: set[str] = set()
        for shard in self._kinesis.list_shards(StreamName=self._name)["Shards"]:
            shard_id = shard["ShardId"]
            if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
                closed.add(shard_id)
            hash_keys = shard["HashKeyRange"]
            owned = range(int(hash_keys["StartingHashKey"]), int(hash_keys["EndingHashKey"]) + 1)
            self._found.setdefault(shard_id, []).extend(self._news(shard_id, owned))
        every = (message for messages in self._found.values() for message in messages if message.delivered)
        return Stream(
            records={shard: [message.position for message in found] for shard, found in self._found.items()},
            closed=frozenset(closed),
            messages=sorted(every, key=lambda message: message.position),
        )

    def _news(self, shard: str, owned: range) -> Iterator[Message]:
        if shard not in self._iterators:
            self._iterators[shard] = self._begun(shard)
        behind = 1
        while (iterator := self._iterators[shard]) and behind:
            try:
                response = self._kinesis.get_records(ShardIterator=iterator)
            except self._kinesis.exceptions.ProvisionedThroughputExceededException:
                # The pipeline reads the same shards, five times a second all together.
                self._sleep(_PAUSE)
                continue
            except self._kinesis.exceptions.ExpiredIteratorException:
                self._iterators[shard] = self._begun(shard)
                continue
            for record in response["Records"]:
                yield from _messages(shard, record, owned)
            self._iterators[shard], behind = response.get("NextShardIterator"), response["MillisBehindLatest"]

    def _begun(self, shard: str) -> str:
        """An iterator at the beginning, or behind what is read already."""
        known = self._found.get(shard)
        where = (
            {
                "ShardIteratorType": "AFTER_SEQUENCE_NUMBER",
                "StartingSequenceNumber": str(known[-1].position[0]),
            }
            if known
            else {"ShardIteratorType": "TRIM_HORIZON"}
        )
        response = self._kinesis.get_shard_iterator(StreamName=self._name, ShardId=shard, **where)
        iterator: str = response["ShardIterator"]
        return iterator


def _messages(shard: str, record: Mapping[str, Any], owned: range) -> Iterator[Message]:
    deaggregated = [each["kinesis"] for each in deaggregate_records([_lambda_shaped(record)])]
    delivered = all(_hash_key(each) in owned for each in deaggregated)
    for each in deaggregated:
        body = base64.b64decode(each["data"])
        yield Message(
            shard=shard,
            position=(int(each["sequenceNumber"]), each.get("subSequenceNumber", 0)),
            arrived=float(each["approximateArrivalTimestamp"]),
            body=body,
            envelope=_object(body),
            delivered=delivered,
        )


def _hash_key(user_record: Mapping[str, Any]) -> int:
    explicit = user_record.get("explicitHashKey")
    if explicit is not None:
        return int(explicit)
    return int.from_bytes(md5(user_record["partitionKey"].encode(), usedforsecurity=False).digest())


def _lambda_shaped(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "kinesis": {
            "data": base64.b64encode(record["Data"]).decode(),
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            "kinesisSchemaVersion": "1.0",
        }
    }


def _object(body: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) and "specversion" in value else {}
