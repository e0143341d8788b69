"""A stranger's program that reads each shard of a stream far more often than its applications leave room for.

Kinesis allows five GetRecords a second on a shard to all who read it together. Of the stranger's thirty it
refuses most, and so it does those of the applications. The stranger rests between its bursts: they still
read, and seldom.
"""

import threading
import time
from typing import TYPE_CHECKING, Final

from botocore.exceptions import BotoCoreError, ClientError

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

_READS_PER_SECOND: Final = 30.0
_BURST_SECONDS: Final = 2.5
_REST_SECONDS: Final = 1.5


class Stranger:
    """Reads from the tip of every shard, in a thread each, from its start to its end.

    Args:
        kinesis: Reads; is no application's.
        streams: The names of the streams.
    """

    def __init__(self, kinesis: "KinesisClient", streams: list[str]) -> None:
        self._kinesis = kinesis
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._read, args=(stream, shard["ShardId"]), daemon=True)
            for stream in streams
            for shard in kinesis.list_shards(StreamName=stream)["Shards"]
        ]

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Read no more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _read(self, stream: str, shard: str) -> None:
        iterator = self._kinesis.get_shard_iterator(
            StreamName=stream, ShardId=shard, ShardIteratorType="LATEST"
        )["ShardIterator"]
        due = began = time.monotonic()
        while not self._stop.wait(max(0.0, due - time.monotonic())):
            now = time.monotonic()
            due = max(due + 1 / _READS_PER_SECOND, now)
            if now - began > _BURST_SECONDS:
                due = began = now + _REST_SECONDS
                continue
            try:
                response = self._kinesis.get_records(ShardIterator=iterator, Limit=1)
            except (BotoCoreError, ClientError):
                continue  # refused, as it deserves
            iterator = response["NextShardIterator"]
