"""``python -m orderstream_playground.local.stock_bridge``: change data capture on one machine.

On AWS, DynamoDB itself puts each change of the stock table into a Kinesis stream ("Kinesis Data Streams for
DynamoDB"). Here this process does: it reads the table's DynamoDB stream and puts the changes into the Kinesis
fake, in AWS's record shape, each under a random partition key as AWS does. Like AWS it promises that every
change arrives, and neither order nor uniqueness.

The input is released last: how far it has read is written down only after Kinesis has acknowledged. A crash
in between repeats changes, with the same ids.
"""

import argparse
import datetime as dt
import logging
import signal
import threading
import uuid
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import boto3
import msgspec
from botocore.config import Config

from orderstream.aws import UnreadableResponseError, aws_calls, required
from orderstream.errors import OrderstreamError
from orderstream_consumer.health.server import health_served
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_workers.runtime.clients import region
from orderstream_workers.runtime.logs import configure_logging

logger = logging.getLogger(__name__)

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)

_BATCH: Final = 500
"""Changes of one read, and most records of one PutRecords."""

_PAUSE: Final = 0.1
"""Seconds between two looks at a stream that brought nothing."""

_RETRY_AFTER: Final = 1.0
"""Seconds until the next try after a failure."""


def change_record(change: Mapping[str, Any], table: str) -> bytes:
    """A change as AWS puts it into Kinesis.

    Args:
        change: A record of DynamoDB Streams, as boto3 gives it.
        table: Name of the table that was changed.
    """
    body = change["dynamodb"]
    microseconds = (body["ApproximateCreationDateTime"] - _EPOCH) // dt.timedelta(microseconds=1)
    kept = ("Keys", "NewImage", "OldImage", "SizeBytes")
    return msgspec.json.encode(
        {
            "awsRegion": change["awsRegion"],
            "eventID": change["eventID"],
            "eventName": change["eventName"],
            "userIdentity": change.get("userIdentity"),
            "recordFormat": "application/json",
            "tableName": table,
            "dynamodb": {
                "ApproximateCreationDateTime": microseconds,
                **{name: body[name] for name in kept if name in body},
                "ApproximateCreationDateTimePrecision": "MICROSECOND",
            },
            "eventSource": change["eventSource"],
        }
    )


class StockBridge:
    """Carries changes over. Run by one thread.

    Args:
        dynamodb: A boto3 DynamoDB client.
        changes: A boto3 DynamoDB Streams client.
        kinesis: A boto3 Kinesis client.
        table: Name of the stock table; its stream holds new and old images.
        stream: The Kinesis stream.
        positions: File of how far it has come: the last sequence number of each shard.
    """

    def __init__(
        self, *, dynamodb: Any, changes: Any, kinesis: Any, table: str, stream: str, positions: Path
    ) -> None:
        self._dynamodb = dynamodb
        self._changes = changes
        self._kinesis = kinesis
        self._table = table
        self._stream = stream
        self._file = positions
        self._positions: dict[str, str] = (
            msgspec.json.decode(positions.read_bytes(), type=dict[str, str]) if positions.exists() else {}
        )
        self._iterators: dict[str, str] = {}
        self.carried = 0
        self.waiting = True

    def run(self, stop: threading.Event) -> None:
        """Carry changes over until the stop signal."""
        while not stop.is_set():
            try:
                moved = self.step()
            except OrderstreamError as error:
                # Every iterator is opened again behind what is written down: nothing is lost.
                logger.warning("changes wait for the next try", extra={"error": error})
                self._iterators.clear()
                self.waiting = True
                stop.wait(_RETRY_AFTER)
                continue
            self.waiting = moved > 0
            if not moved:
                stop.wait(_PAUSE)

    def step(self) -> int:
        """Read every shard once and carry over what it brings.

        Returns:
            How many changes were carried over.

        Raises:
            DependencyError: A service did not respond, or gave a response that is none of its own.
            LocalEnvironmentError: Kinesis refused some of the changes.
        """
        if not self._iterators:
            self._open()
        return sum(self._carry(shard, at) for shard, at in list(self._iterators.items()))

    def _open(self) -> None:
        with aws_calls("dynamodb", "DescribeTable", client=self._dynamodb, resource=self._table):
            table = required(self._dynamodb.describe_table(TableName=self._table), "Table", dict)
            arn = required(table, "LatestStreamArn", str)
        with aws_calls("dynamodbstreams", "DescribeStream", client=self._changes, resource=arn):
            described = required(self._changes.describe_stream(StreamArn=arn), "StreamDescription", dict)
            shards = [required(shard, "ShardId", str) for shard in required(described, "Shards", list)]
        for shard_id in shards:
            last = self._positions.get(shard_id)
            start = (
                {"ShardIteratorType": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": last}
                if last is not None
                else {"ShardIteratorType": "TRIM_HORIZON"}
            )
            with aws_calls("dynamodbstreams", "GetShardIterator", client=self._changes, resource=arn):
                response = self._changes.get_shard_iterator(StreamArn=arn, ShardId=shard_id, **start)
                self._iterators[shard_id] = required(response, "ShardIterator", str)

    def _carry(self, shard_id: str, iterator: str) -> int:
        with aws_calls("dynamodbstreams", "GetRecords", client=self._changes, resource=self._table):
            response = self._changes.get_records(ShardIterator=iterator, Limit=_BATCH)
            found = required(response, "Records", list)
            records = [change_record(change, self._table) for change in found]
            last = required(found[-1]["dynamodb"], "SequenceNumber", str) if found else ""
            following = response.get("NextShardIterator")
        if found:
            self._put(records)
            self._remember(shard_id, last)
            self.carried += len(found)
        if following:
            self._iterators[shard_id] = following
        else:
            del self._iterators[shard_id]  # it is closed; when none is left, the shards are listed again
        return len(found)

    def _put(self, records: list[bytes]) -> None:
        entries = [{"Data": data, "PartitionKey": uuid.uuid4().hex} for data in records]
        with aws_calls("kinesis", "PutRecords", client=self._kinesis, resource=self._stream):
            response = self._kinesis.put_records(StreamName=self._stream, Records=entries)
            results = required(response, "Records", list)
            if len(results) != len(entries):
                raise UnreadableResponseError(f"it has {len(results)} results for {len(entries)} records")
            failed = sum(not result.get("SequenceNumber") for result in results)
        if failed:
            raise LocalEnvironmentError(
                f"{self._stream} refused {failed} of {len(entries)} changes; all of them are put again"
            )

    def _remember(self, shard_id: str, sequence_number: str) -> None:
        self._positions[shard_id] = sequence_number
        # Whole or not at all: a half-written file would end the bridge at its next start.
        fresh = self._file.with_suffix(".new")
        fresh.write_bytes(msgspec.json.encode(self._positions))
        fresh.replace(self._file)


def main() -> None:
    """Read the command line and carry changes over until SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="stock_bridge", description="Puts changes of the stock table into Kinesis."
    )
    parser.add_argument("--table", required=True)
    parser.add_argument("--stream", required=True)
    parser.add_argument("--positions", type=Path, required=True, help="file of how far it has come")
    parser.add_argument("--port", type=int, required=True, help="port of /health on the loopback interface")
    options = parser.parse_args()
    configure_logging("INFO", "stock-bridge")
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    config = Config(connect_timeout=3, read_timeout=10, retries={"total_max_attempts": 1})
    with (
        closing(boto3.client("dynamodb", region_name=region(), config=config)) as dynamodb,
        closing(boto3.client("dynamodbstreams", region_name=region(), config=config)) as changes,
        closing(boto3.client("kinesis", region_name=region(), config=config)) as kinesis,
    ):
        bridge = StockBridge(
            dynamodb=dynamodb,
            changes=changes,
            kinesis=kinesis,
            table=options.table,
            stream=options.stream,
            positions=options.positions,
        )

        def report() -> dict[str, Any]:
            return {
                "application": "stock-bridge",
                "healthy": True,
                "carried": bridge.carried,
                "waiting": bridge.waiting,
            }

        with health_served(options.port, report):
            bridge.run(stop)


if __name__ == "__main__":
    main()
