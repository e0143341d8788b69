"""The boto3 client's calls that the engine makes of Kinesis, over the simulated network."""

import datetime as dt
import math
from collections.abc import Callable
from email.utils import format_datetime
from functools import lru_cache
from random import Random
from typing import Any

from fakes.engine_world.network import Network
from fakes.engine_world.scheduler import Scheduler
from fakes.engine_world.stream import EPOCH, LISTING_LAGS, PAGE, SimulatedStream

_REFUSALS = ("ProvisionedThroughputExceededException", "InternalFailure", "LimitExceededException")


class SimulatedKinesis:
    """A Kinesis client of a simulated process."""

    def __init__(
        self, stream: SimulatedStream, network: Network, scheduler: Scheduler, random: Random
    ) -> None:
        self._stream = stream
        self._network = network
        self._scheduler = scheduler
        self._random = random
        self.gone: set[tuple[str, int]] = set()
        """Where this process wanted to go on, by shard and sequence number, and retention had been before."""
        self.leapt_at = -math.inf
        """When a day last passed in the middle of a call, which none outlives really."""

    def list_shards(self, **request: Any) -> dict[str, Any]:
        """Page by page; a page shows the stream as it was when the first one was asked for."""
        if "NextToken" in request:
            seen_at, _, last = request["NextToken"].partition("/")
        else:
            lags = self._random.random() < self._stream.trouble.half_listed
            seen_at, last = str(self._scheduler.now - lags * LISTING_LAGS), ""

        def act() -> dict[str, Any]:
            shown = self._stream.list_shards(seen_at=float(seen_at))
            shards = [shard for shard in shown if shard["ShardId"] > last]
            page = shards[:PAGE]
            more = {"NextToken": f"{seen_at}/{page[-1]['ShardId']}"} if len(shards) > PAGE else {}
            return self._dated({"Shards": page, **more})

        return self._network.call(act, _REFUSALS, "ListShards")

    def get_shard_iterator(self, **request: Any) -> dict[str, Any]:
        def act() -> dict[str, Any]:
            if request["ShardIteratorType"] == "AT_SEQUENCE_NUMBER":
                begin = request["ShardId"], int(request["StartingSequenceNumber"])
                if begin[0] in self._stream.shards and self._stream.is_gone(*begin):
                    self.gone.add(begin)
            return self._dated(self._stream.iterator(request))

        return self._network.call(act, _REFUSALS, "GetShardIterator")

    def get_records(self, **request: Any) -> dict[str, Any]:
        return self._call(lambda: self._dated(self._stream.get_records(request)), "GetRecords")

    def _dated(self, response: dict[str, Any]) -> dict[str, Any]:
        """With the time at which Kinesis answered, which is not the caller's."""
        return {**response, "ResponseMetadata": {"HTTPHeaders": {"date": _date(int(self._stream.seconds()))}}}

    def describe_stream_summary(self, **_: Any) -> dict[str, Any]:
        return self._call(self._stream.summary, "DescribeStreamSummary")

    def _call(self, act: Callable[[], dict[str, Any]], operation: str) -> dict[str, Any]:
        days = self._stream.days
        try:
            return self._network.call(act, _REFUSALS, operation)
        finally:
            if self._stream.days != days:
                self.leapt_at = self._scheduler.now


@lru_cache(maxsize=1024)
def _date(seconds: int) -> str:
    """An HTTP date, by the seconds from EPOCH."""
    return format_datetime(EPOCH + dt.timedelta(seconds=seconds), usegmt=True)
