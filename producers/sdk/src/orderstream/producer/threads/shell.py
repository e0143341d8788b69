"""The threads around the core, which ``Producer`` and ``AsyncProducer`` share.

Callers hand their records over and wait for nothing but room in the buffer; one owner alone runs the core and
completes deliveries; a few threads make calls to Kinesis. They talk through one queue.
"""

import atexit
import logging
import threading
import warnings
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from random import Random
from time import monotonic, sleep
from typing import TYPE_CHECKING, Final, cast

from orderstream.aggregation.user_record import UserRecord
from orderstream.configuration import ConfigError
from orderstream.observability.metrics.meter import Meter
from orderstream.producer.config import ProducerConfig
from orderstream.producer.core.messages import (
    Close,
    Command,
    Complete,
    GiveUp,
    Input,
    ListShards,
    Put,
    Reported,
    SendPutRecords,
    Tick,
    WakeAt,
)
from orderstream.producer.core.pipeline import Pipeline
from orderstream.producer.core.retrier import RetryPolicy
from orderstream.producer.core.troubles import TroubleReport
from orderstream.producer.errors import (
    HeldUpError,
    StreamUnavailableError,
    StreamUnreachableError,
    UnclosedProducerWarning,
    WaitInCallbackError,
)
from orderstream.producer.hooks import Interceptor, Partitioner
from orderstream.producer.intake import Intake
from orderstream.producer.outcome import Rejected
from orderstream.producer.reporter import Reporter
from orderstream.producer.requests.sender import Sender
from orderstream.producer.requests.target import KinesisCalls, Target, kinesis_client
from orderstream.producer.threads.buffer import Buffer
from orderstream.producer.threads.call_threads import CallThreads
from orderstream.producer.tracking.origin import Origin
from orderstream.producer.tracking.process import current
from orderstream.producer.tracking.tracked import TrackedRecord, complete, completing_thread

if TYPE_CHECKING:
    import boto3
    from mypy_boto3_kinesis.client import KinesisClient

logger = logging.getLogger(__name__)

AT_EXIT_TIMEOUT: Final = 5.0
"""How long the interpreter's exit waits for a producer that was not closed, in seconds."""

# Between two checks of a stream that cannot be reached: doubled each time, in seconds.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 2.0


class Shell:
    """A producer without a face; the arguments are those of ``Producer``.

    Attributes:
        config: The settings.
        intake: Makes deliveries of records.
        buffer: Takes deliveries.
        origin: What deliveries know of the producer.

    Raises:
        ConfigError: Stream or configuration are none.
        AwsSettingsError: Region or credentials cannot be found.
    """

    def __init__(
        self,
        stream: str,
        *,
        config: ProducerConfig | None,
        client: KinesisCalls | None,
        session: "boto3.Session | None",
        partitioner: Partitioner | None,
        interceptors: Iterable[Interceptor],
        meter: Meter | None,
    ) -> None:
        if config is not None and not isinstance(config, ProducerConfig):
            raise ConfigError("config", config, "a ProducerConfig")
        self.config = config or ProducerConfig()
        Target(stream, None)  # no client need be made for what is no stream
        self._owned_client: KinesisClient | None = None
        if client is None:
            client = self._owned_client = kinesis_client(self.config, session)
        self._target = Target(stream, client)
        self._sender = Sender(client, self._target)
        self._process = current()
        self.origin = Origin(self._process)
        self.buffer = Buffer(self.config.buffered_bytes, self.config.when_full, self._process)
        self._interceptors = tuple(interceptors)
        self.intake = Intake(self.config, partitioner, self._interceptors, self.origin)
        self._reporter = Reporter(self._target, self.buffer.described)
        self._core = Pipeline(self.config, Random().random, meter)  # noqa: S311 - jitter is no secret
        self._threads = CallThreads(self.config.max_in_flight_requests + 1, f"kinesis-{stream}")
        self._wake_at: float | None = None
        self._closing = threading.Lock()
        self._flushed = self._closed = False
        self._unsent: list[UserRecord] = []
        self._owner = threading.Thread(target=self._run, name=f"producer-{stream}", daemon=True)
        self._owner.start()
        self._at_exit = partial(_flush_at_exit, self, stream)
        atexit.register(self._at_exit)

    @property
    def here(self) -> bool:
        """Whether this is the process that the producer lives in."""
        return bool(self._process.here[0])

    def __str__(self) -> str:
        """Name the stream, and say what waits."""
        if not self.here:
            return f"{self._target}, of another process"
        return f"{self._target}, {'closed' if self._closed else self.buffer.described()}"

    @property
    def last_error(self) -> str | None:
        """What calls to Kinesis meet at present; None if they succeed."""
        trouble = self.origin.trouble
        return None if trouble is None else str(trouble)

    def check(self) -> None:
        """See ``Producer.check``."""
        failure = self._sender.check()
        if failure is not None:
            kind = StreamUnreachableError if failure.retryable else StreamUnavailableError
            raise kind(str(self._target), failure.code, failure.message)

    def wait_ready(self, timeout: float) -> None:
        """See ``Producer.wait_ready``."""
        deadline = monotonic() + timeout
        pauses = RetryPolicy(_FIRST_PAUSE, _LONGEST_PAUSE, Random().random)  # noqa: S311 - jitter is no secret
        failures = 0
        while True:
            try:
                return self.check()
            except StreamUnreachableError:
                failures += 1
                pause = pauses.delay(failures)
                if monotonic() + pause > deadline:
                    raise
            sleep(pause)

    def flush(self, timeout: float | None) -> int:
        """See ``Producer.flush``."""
        if self.here and self._process.in_completing_thread():
            raise WaitInCallbackError("flush")
        return self.buffer.flush(timeout)

    def close(self, timeout: float | None) -> tuple[UserRecord, ...]:
        """See ``Producer.close``."""
        if not self.here:
            return ()
        if self._process.in_completing_thread():
            raise WaitInCallbackError("close")
        with self._closing:
            if not self._closed:
                self._end(timeout)
                self._closed = True
            return tuple(self._unsent)

    def _end(self, timeout: float | None) -> None:
        atexit.unregister(self._at_exit)
        if not self._flushed:
            self.buffer.close()
            self.buffer.flush(timeout)
            self.buffer.post(Close())
            self._flushed = True
        # Where no thread was to be had, the owner may be in the middle of a call.
        longest = self.config.connect_timeout + self.config.read_timeout + 1.0
        self._owner.join(None if timeout is None else longest)
        if self._owner.is_alive():
            raise HeldUpError(longest)
        # A call that is still under way after the deadline ends by its own read timeout.
        self._threads.stop(0.0 if self._unsent else self.config.read_timeout)
        if self._owned_client is not None and not self._unsent:
            self._owned_client.close()

    # --- the owner thread ---

    def _run(self) -> None:
        with completing_thread(self._process):
            try:
                self._serve()
            finally:
                # Only a defect leads here with records: better to refuse them than to hold them for nothing.
                self.buffer.close()
                records, _ = self.buffer.take(0.0)
                self._execute(self._core.on(Close(), monotonic()))
                self._execute(self._core.on(Put(records), monotonic()))

    def _serve(self) -> None:
        """Run the core until it is closed; by then every record has its outcome."""
        self._execute(self._core.on(Tick(), monotonic()))
        while True:
            timeout = None if self._wake_at is None else max(0.0, self._wake_at - monotonic())
            records, inputs = self.buffer.take(timeout)
            if records:
                self._execute(self._core.on(Put(records), monotonic()))
            for event in inputs or (() if records else (Tick(),)):
                self._execute(self._core.on(event, monotonic()))
                if isinstance(event, Close):
                    return

    def _execute(self, commands: list[Command]) -> None:
        self._wake_at = None
        self.origin.trouble = self._core.trouble
        commands.reverse()
        while commands:
            # Records are released as soon as their outcomes are reported, while they are still in the cache.
            match command := commands.pop():
                case SendPutRecords():
                    self._threads.submit(partial(self._call, partial(self._sender.put_records, command)))
                case ListShards():
                    self._threads.submit(partial(self._call, self._sender.list_shards))
                case Complete():
                    self._complete(command)
                case GiveUp():
                    self._give_up(command)
                case TroubleReport():
                    self._reporter.trouble(command, monotonic())
                case WakeAt():
                    self._wake_at = command.at

    def _call(self, call: Callable[[], Input]) -> None:
        self.buffer.post(call())

    def _give_up(self, command: GiveUp) -> None:
        late = self.buffer.make_known(command.completions)
        for each in command.completions:
            self._complete(each)
        self._execute(self._core.on(Reported(late), monotonic()))

    def _complete(self, command: Complete) -> None:
        outcome = command.outcome
        # What comes out of the core is what went in, and put() makes nothing else.
        deliveries = cast("Sequence[TrackedRecord]", command.records)
        if isinstance(outcome, Rejected):
            if outcome.unsent:
                self._unsent += [delivery.record for delivery in deliveries]
            self._reporter.given_up(len(deliveries), outcome.reason)
        complete(deliveries, command.completion, outcome, self._process)
        self.buffer.completed(deliveries, command.size)
        for interceptor in self._interceptors:
            for delivery in deliveries:
                try:
                    interceptor.on_outcome(delivery)
                except BaseException:
                    # Not even an exit may end this thread.
                    logger.exception("an interceptor failed")


def _flush_at_exit(shell: Shell, stream: str) -> None:
    if shell.here:
        lost = len(shell.close(AT_EXIT_TIMEOUT))
        warnings.warn(UnclosedProducerWarning(stream, lost), stacklevel=1)
