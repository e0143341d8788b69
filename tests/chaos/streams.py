"""What the streams hold, as an outsider reads them: AWS's deaggregator, then plain JSON."""

import base64
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from aws_kinesis_agg.deaggregator import deaggregate_records

Position = tuple[int, int]
"""Sequence and sub-sequence number. The fake numbers a stream's records in one sequence over all shards."""


@dataclass(frozen=True, slots=True)
class Message:
    """One user record.

    Attributes:
        shard: Where it is.
        position: Its place in the stream.
        arrived: When Kinesis took it, in seconds since 1970.
        body: Its bytes.
        envelope: The same, decoded; empty if it is no JSON object.
    """

    shard: str
    position: Position
    arrived: float
    body: bytes
    envelope: Mapping[str, Any]

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
        messages: The user records, in the order of the stream.
    """

    records: Mapping[str, Sequence[Position]]
    closed: frozenset[str]
    messages: Sequence[Message] = ()


def read_stream(kinesis: Any, name: str) -> Stream:
    """Read a stream from its beginning to its tip.

    Args:
        kinesis: A boto3 client.
        name: The stream's.
    """
    found: dict[str, list[Message]] = {}
    closed: set[str] = set()
    for shard in kinesis.list_shards(StreamName=name)["Shards"]:
        shard_id = shard["ShardId"]
        if "EndingSequenceNumber" in shard["SequenceNumberRange"]:
            closed.add(shard_id)
        found[shard_id] = list(_messages(kinesis, name, shard_id))
    return Stream(
        records={shard: [message.position for message in messages] for shard, messages in found.items()},
        closed=frozenset(closed),
        messages=sorted(
            (message for messages in found.values() for message in messages),
            key=lambda message: message.position,
        ),
    )


def _messages(kinesis: Any, stream: str, shard: str) -> Iterator[Message]:
    iterator = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")[
        "ShardIterator"
    ]
    behind = 1
    while iterator and behind:
        response = kinesis.get_records(ShardIterator=iterator, Limit=1_000)
        for opened in deaggregate_records([_lambda_shaped(record) for record in response["Records"]]):
            record = opened["kinesis"]
            body = base64.b64decode(record["data"])
            yield Message(
                shard=shard,
                position=(int(record["sequenceNumber"]), record.get("subSequenceNumber", 0)),
                arrived=float(record["approximateArrivalTimestamp"]),
                body=body,
                envelope=_object(body),
            )
        iterator, behind = response.get("NextShardIterator"), response["MillisBehindLatest"]


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
