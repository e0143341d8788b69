"""What must hold of a pipeline that has come to rest, read from its stores as they are.

The books say what became of the orders; this says that nothing was passed over on the way. It uses none of
the code that it judges: streams are opened with AWS's deaggregator, leases are read as KCL writes them.
"""

import base64
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import boto3
from aws_kinesis_agg.deaggregator import deaggregate_records

Position = tuple[int, int]
"""Sequence and sub-sequence number."""

APPLICATIONS = ("archiver", "inventory", "notifications", "order-status", "payments", "saga", "shipping")
"""What reads the stream of orders."""


def violations(kinesis_url: str, aws_url: str) -> list[str]:
    """Look at streams, leases, archive and dead letters; one line for each thing that is wrong.

    Args:
        kinesis_url: Where Kinesis is.
        aws_url: Where the rest of AWS is.
    """
    clients = {
        service: boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=kinesis_url if service == "kinesis" else aws_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",
        )
        for service in ("kinesis", "dynamodb", "s3", "sqs")
    }
    try:
        records = _records(clients["kinesis"])
        leases = {name: _checkpoints(clients["dynamodb"], name) for name in APPLICATIONS}
        return [
            *_archive(_objects(clients["s3"]), records, leases["archiver"]),
            *_unread(leases, records),
            *_dead_letters(clients["dynamodb"], clients["sqs"]),
        ]
    finally:
        for client in clients.values():
            client.close()


def _archive(
    objects: dict[str, list[tuple[str, str, str]]],
    records: dict[str, list[Position]],
    checkpoints: dict[str, Position | None],
) -> Iterator[str]:
    """Each object begins where the one before it ended, and the last one where the stream ends."""
    for shard, positions in records.items():
        chain = objects.get(shard, [])
        end = ""
        for start, to, previous in chain:
            if previous != end:
                yield f"archive: {shard} from {start} follows {previous or 'nothing'}, not {end or 'nothing'}"
            end = to
        if positions and end != "{}-{}".format(*positions[-1]):
            yield f"archive: {shard} ends at {end or 'nothing'}, the stream at {positions[-1]}"
        checkpoint = checkpoints.get(shard)
        if checkpoint and chain and checkpoint > _position(end):
            yield f"archive: {shard} is checkpointed at {checkpoint} and archived up to {end}"


def _unread(
    leases: dict[str, dict[str, Position | None]], records: dict[str, list[Position]]
) -> Iterator[str]:
    """At rest a checkpoint is the last record: behind it something is unread, ahead of it nothing was."""
    for application, checkpoints in leases.items():
        for shard, positions in records.items():
            checkpoint = checkpoints.get(shard)
            if positions and checkpoint and checkpoint != positions[-1]:
                yield f"leases: {application} is at {checkpoint} of {shard}, which ends at {positions[-1]}"
            if positions and shard not in checkpoints:
                yield f"leases: {application} has none of {shard}"


def _dead_letters(dynamodb: Any, sqs: Any) -> Iterator[str]:
    for row in dynamodb.scan(TableName="orderstream-parking", ConsistentRead=True)["Items"]:
        yield f"dead letters: {row['pk']['S']} {row['sk']['S']}"
    url = sqs.get_queue_url(QueueName="orderstream-payments-dlq")["QueueUrl"]
    counted = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
    if (waiting := counted["Attributes"]["ApproximateNumberOfMessages"]) != "0":
        yield f"dead letters: {waiting} messages of payments"


def _records(kinesis: Any) -> dict[str, list[Position]]:
    """The positions of all user records, by shard."""
    found: dict[str, list[Position]] = {}
    for shard in kinesis.list_shards(StreamName="orders")["Shards"]:
        name = shard["ShardId"]
        iterator = kinesis.get_shard_iterator(
            StreamName="orders", ShardId=name, ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        found[name] = []
        behind = 1
        while iterator and behind:
            answer = kinesis.get_records(ShardIterator=iterator, Limit=1_000)
            found[name] += [
                (int(record["kinesis"]["sequenceNumber"]), record["kinesis"].get("subSequenceNumber", 0))
                for record in deaggregate_records([_lambda_shaped(record) for record in answer["Records"]])
            ]
            iterator, behind = answer.get("NextShardIterator"), answer["MillisBehindLatest"]
    return found


def _lambda_shaped(record: dict[str, Any]) -> dict[str, Any]:
    return {
        "kinesis": {
            "data": base64.b64encode(record["Data"]).decode(),
            "partitionKey": record["PartitionKey"],
            "sequenceNumber": record["SequenceNumber"],
            "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"].timestamp(),
            "kinesisSchemaVersion": "1.0",
        }
    }


def _objects(s3: Any) -> dict[str, list[tuple[str, str, str]]]:
    """Start, end and the end of the one before of each object, in order, by shard."""
    found: defaultdict[str, list[tuple[str, str, str]]] = defaultdict(list)
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket="orderstream-archive"):
        for summary in page.get("Contents", ()):
            told = s3.head_object(Bucket="orderstream-archive", Key=summary["Key"])["Metadata"]
            shard = summary["Key"].split("shard=")[1].split("/")[0]
            found[shard].append((told["from"], told["to"], told.get("previous", "")))
    return {shard: sorted(chain, key=lambda entry: _position(entry[0])) for shard, chain in found.items()}


def _checkpoints(dynamodb: Any, application: str) -> dict[str, Position | None]:
    """Where an application stands in each shard; None where it stands at no record."""
    items = dynamodb.scan(TableName=f"orderstream-{application}-consumer", ConsistentRead=True)["Items"]
    return {
        item["leaseKey"]["S"]: (
            (int(item["checkpoint"]["S"]), int(item["checkpointSubSequenceNumber"]["N"]))
            if item["checkpoint"]["S"].isdigit()
            else None
        )
        for item in items
        if "leaseCounter" in item
    }


def _position(text: str) -> Position:
    sequence, _, sub = text.partition("-")
    return int(sequence), int(sub)
