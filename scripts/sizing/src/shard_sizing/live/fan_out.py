"""Reads everything that arrives on a stream from now on by enhanced fan-out, which takes nothing from others.

::

    register ──> ACTIVE ──> SubscribeToShard on each shard ──5 minutes──> again, from there ──> deregister

A registered consumer costs by the hour until it is deregistered: that is done whatever happens, after an
error and after Ctrl-C too, and a failure is reported with the command that does it by hand.
"""

import logging
import math
import queue
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Self

from botocore.exceptions import ClientError
from urllib3.exceptions import HTTPError

from orderstream.aws import aws_calls, required
from orderstream.errors import DependencyError
from orderstream.kinesis.listing import children_of
from shard_sizing.errors import InputError
from shard_sizing.live.asked import (
    call,
    demand_record,
    in_words,
    stream_asked,
    summary_of,
)
from shard_sizing.live.polling import Arrived, ShardReading
from shard_sizing.live.reshard import listed
from shard_sizing.live.subscriptions import Subscriptions
from shard_sizing.model.data_files import RegionPrices

logger = logging.getLogger(__name__)

_LOOK_SECONDS: Final = 0.5
_ACTIVE_SECONDS: Final = 120.0
_GRACE_SECONDS: Final = 30.0
_RESUBSCRIBE_SECONDS: Final = 5.0
"""Pause before a shard is subscribed to again: sooner, the old subscription may still be open."""

_PASSING: Final = frozenset({"ResourceInUseException", "LimitExceededException", "InternalFailureException"})
"""Errors after which a shard is subscribed to again."""

Told = Arrived | ShardReading | Exception
"""What a shard's thread reports: a record, a child to be read as well, or why it cannot go on."""


class _RefusedError(Exception):
    """A shard cannot be subscribed to, now or later."""


def _refused(code: str, error: ClientError) -> Exception | None:
    return None if code in _PASSING else _RefusedError(in_words(error))


class FanOut:
    """One reading of a stream by a consumer of its own; as a context manager it registers and deregisters it.

    Args:
        client: A boto3 Kinesis client.
        stream: The stream's name.
        clock: Seconds since 1970.
        sleep: Waits for so many seconds.

    Attributes:
        shards: Every shard that was read.
        span: First and last second whose records are read.
        consumer: ARN of the registered consumer; empty while there is none.
    """

    def __init__(
        self,
        client: Any,
        stream: str,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.shards: dict[str, ShardReading] = {}
        self.span = (0, 0)
        self.consumer = ""
        self._client = client
        self._stream = stream
        self._clock = clock
        self._sleep = sleep
        self._stop = threading.Event()
        self._failing: dict[str, str] = {}
        self._told: queue.SimpleQueue[Told] = queue.SimpleQueue()
        self._subscriptions = Subscriptions(client)

    def __enter__(self) -> Self:
        """Register the consumer and wait until it is ACTIVE.

        Raises:
            InputError: The stream does not exist, or AWS is against it.
        """
        with stream_asked(self._stream, "DescribeStreamSummary"):
            arn = required(summary_of(self._client, self._stream), "StreamARN", str)
        name = f"shard-sizing-{uuid.uuid4().hex[:8]}"
        self.consumer = self._register(arn, name)
        try:
            self._wait_active()
        except BaseException:
            self._deregister()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        """Deregister the consumer."""
        self._stop.set()
        self._subscriptions.end()
        self._deregister()

    def cost(self, prices: RegionPrices | None, seconds: float) -> str:
        """Say what the measurement costs, before it begins; without prices, how much there is to be paid."""
        shards = len(listed(self._client, self._stream))
        hours = math.ceil(seconds / 3600) * shards
        told = f"this reads by enhanced fan-out: {hours} consumer-shard-hours"
        if prices is None:
            return f"{told}, and each GB read; the Region's prices are not on file"
        return (
            f"{told}, {hours * prices['efo_shard_hour']:.3f} USD, "
            f"and {prices['efo_gb']:.3f} USD for each GB read"
        )

    def read(self, seconds: float, tick: Callable[[float], None] = lambda _: None) -> Iterator[Arrived]:
        """Give the records of so many whole seconds, by the time of their arrival; see ``Poller.read``."""
        begin = {"Type": "AT_TIMESTAMP", "Timestamp": self._clock()}
        for shard in listed(self._client, self._stream):
            self._follow(ShardReading.of(shard, begin))
        first = math.ceil(self._clock())
        last = first + math.ceil(seconds)
        self.span = first, last - 1
        while True:
            for told in self._waiting():
                if isinstance(told, ShardReading):
                    self._follow(told)
                elif isinstance(told, Exception):
                    raise InputError(f"stream {self._stream}", in_words(told)) from told
                elif first <= told.record["ApproximateArrivalTimestamp"].timestamp() < last:
                    yield told
            now = self._clock()
            tick(min(now - first, seconds))
            behind = any(shard.behind for shard in self.shards.values())
            if now >= last + 1 and (not behind or now >= last + _GRACE_SECONDS):
                self._demand_read()
                return

    def _demand_read(self) -> None:
        """See that no shard was without a subscription when the time was over: its records would be missing.

        Raises:
            InputError: One was.
        """
        for shard_id, why in self._failing.copy().items():
            raise InputError(
                f"stream {self._stream}", f"{shard_id} could not be read to the end: {why}; measure again"
            )

    def _waiting(self) -> Iterator[Told]:
        try:
            yield self._told.get(timeout=_LOOK_SECONDS)
            while True:
                yield self._told.get_nowait()
        except queue.Empty:
            return

    def _follow(self, shard: ShardReading) -> None:
        """Read a shard too, in a thread of its own; both parents of a merged one name it."""
        if shard.shard_id not in self.shards:
            self.shards[shard.shard_id] = shard
            threading.Thread(target=self._subscribe, args=(shard,), daemon=True).start()

    def _subscribe(self, shard: ShardReading) -> None:
        while not self._stop.is_set():
            try:
                with aws_calls("kinesis", "SubscribeToShard", refusals=_refused):
                    if self._read_once(shard):
                        return
            except (DependencyError, HTTPError) as error:
                if isinstance(error, DependencyError) and error.code == "UnreadableResponse":
                    self._told.put(error)
                    return
                # It passes, or the connection was lost, or closed by us: go on behind what has arrived.
                logger.info("subscription ended", extra={"shard_id": shard.shard_id, "error": error})
                self._failing[shard.shard_id] = in_words(error)
            except Exception as error:  # noqa: BLE001 - what this thread does not report is lost
                self._told.put(error)
                return
            self._stop.wait(_RESUBSCRIBE_SECONDS)

    def _read_once(self, shard: ShardReading) -> bool:
        """Read one subscription to its end; True once the shard has ended."""
        where: Mapping[str, Any] = shard.begin
        if shard.last is not None:
            where = {"Type": "AFTER_SEQUENCE_NUMBER", "SequenceNumber": shard.last}
        for event in self._subscriptions.subscribe(self.consumer, shard.shard_id, where):
            told = required(event, "SubscribeToShardEvent", dict)
            for record in required(told, "Records", list):
                demand_record(record)
                self._told.put(Arrived(shard.shard_id, record))
            self._failing.pop(shard.shard_id, None)
            shard.behind = required(told, "MillisBehindLatest", int)
            shard.last = told.get("ContinuationSequenceNumber")
            for child in children_of(told):
                self._told.put(ShardReading.of(child, {"Type": "TRIM_HORIZON"}))
            if shard.last is None:
                return True
        return False

    def _wait_active(self) -> None:
        deadline = self._clock() + _ACTIVE_SECONDS
        describe = self._client.describe_stream_consumer
        while True:
            with stream_asked(self._stream, "DescribeStreamConsumer"):
                described = required(describe(ConsumerARN=self.consumer), "ConsumerDescription", dict)
                if required(described, "ConsumerStatus", str) == "ACTIVE":
                    return
            if self._clock() > deadline:
                raise InputError(f"stream {self._stream}", "its new consumer does not become ACTIVE")
            self._sleep(_LOOK_SECONDS)

    def _register(self, arn: str, name: str) -> str:
        try:
            with stream_asked(self._stream, "RegisterStreamConsumer"):
                answer = self._client.register_stream_consumer(StreamARN=arn, ConsumerName=name)
                return required(required(answer, "Consumer", dict), "ConsumerARN", str)
        except InputError as error:
            # The request may have been carried out all the same.
            look = f"aws kinesis list-stream-consumers --stream-arn {arn}"
            problem = f"{error.problem}; if {name} is registered now, it costs: see `{look}`"
            raise InputError(error.what, problem) from error

    def _deregister(self) -> None:
        try:
            call(self._stream, self._client.deregister_stream_consumer, ConsumerARN=self.consumer)
        except InputError as error:
            raise InputError(
                f"consumer {self.consumer}",
                f"it is still registered, and costs: {error.problem}; "
                f"aws kinesis deregister-stream-consumer --consumer-arn {self.consumer}",
            ) from error
        self.consumer = ""
