"""The producer an application holds."""

from collections.abc import Iterable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orderstream.aggregation.user_record import UserRecord
from orderstream.observability.metrics.meter import Meter
from orderstream.producer.config import ProducerConfig
from orderstream.producer.delivery import Delivery
from orderstream.producer.errors import UnsentRecordsError
from orderstream.producer.hooks import Interceptor, Partitioner
from orderstream.producer.intake import Puttable
from orderstream.producer.requests.target import KinesisCalls
from orderstream.producer.threads.shell import Shell

if TYPE_CHECKING:
    import boto3


class Producer:
    """Puts records into a Kinesis stream as KPL does; a context manager, for any number of threads.

    It belongs to the process that made it: a process that is forked later makes its own.

    Args:
        stream: The stream's name or ARN.
        config: The settings; defaults fit most uses.
        client: A Kinesis client to use instead of building one. Its own retries should be off: they hold back
            records that the producer could send again itself.
        session: A boto3 session to build the client from.
        partitioner: Chooses explicit hash keys for records that are put without one.
        interceptors: See every record on its way in, in this order, and every outcome.
        meter: Measures what happens, by KPL's names: ``orderstream.producer.PRODUCER_METRICS``.

    Raises:
        ConfigError: ``stream`` is neither a name nor an ARN, or ``config`` no ProducerConfig.
        AwsSettingsError: No client was given, and region or credentials cannot be found.
    """

    def __init__(
        self,
        stream: str,
        *,
        config: ProducerConfig | None = None,
        client: KinesisCalls | None = None,
        session: "boto3.Session | None" = None,
        partitioner: Partitioner | None = None,
        interceptors: Iterable[Interceptor] = (),
        meter: Meter | None = None,
    ) -> None:
        self._shell = Shell(
            stream,
            config=config,
            client=client,
            session=session,
            partitioner=partitioner,
            interceptors=interceptors,
            meter=meter,
        )
        # Looked up once: they are called a million times.
        self._prepare = self._shell.intake.prepare
        self._hand_over = self._shell.buffer.put

    def __repr__(self) -> str:
        """Say which stream, where, and what waits."""
        return f"<Producer for {self._shell}>"

    def check(self) -> None:
        """Ask Kinesis at once whether the stream is there and its shards may be listed.

        It finds a wrong name, region or endpoint, missing and refused credentials. Whether records may be
        put only a put can show.

        Raises:
            StreamUnavailableError: The stream cannot be used with these settings.
            StreamUnreachableError: The same, by an outage: a later check may succeed.
        """
        self._shell.check()

    def wait_ready(self, timeout: float) -> None:
        """Check until the stream can be used; an outage is waited out.

        Args:
            timeout: How long at most, in seconds.

        Raises:
            StreamUnavailableError: As ``check`` does: at once where waiting is of no use, else at the end.
        """
        self._shell.wait_ready(timeout)

    def put(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> Delivery:
        """Hand a record over.

        Args:
            data: The payload.
            partition_key: The key whose records keep their order: 1 to 256 characters.
            explicit_hash_key: Overrides the hash of the partition key: 0 to 2**128 - 1.

        Returns:
            A handle on the outcome. Nothing needs to be done with it.

        Raises:
            RecordTooLargeError: Payload and key are over ``record_max_bytes``, or are an aggregate that would
                be so with another around it.
            RecordInvalidError: Kinesis could not take data, key or hash key.
            BufferFullError: There is no room, and ``when_full`` is ``"raise"`` or the caller is a delivery
                callback.
            ProducerClosedError: The producer is closed.
            ForkedProducerError: The producer belongs to the parent process.
        """
        delivery = self._prepare(data, partition_key, explicit_hash_key)
        self._hand_over(delivery)
        return delivery

    def put_many(self, records: Iterable[Puttable]) -> list[Delivery]:
        """Hand records over in this order: payload, partition key, and an explicit hash key if there is one.

        It also takes ``UserRecord``, as ``close`` hands them back. It costs less than many calls of ``put``.
        Records are handed over at one moment, 64 KiB and the record that reaches them at a time: if Kinesis
        refuses one of them for good, the later ones of its key are given up with it and none is in the
        stream before it.

        Raises:
            OrderstreamError: As ``put`` does; the records before the offending one are on their way.
        """
        deliveries: list[Delivery] = []
        hand_over = self._shell.buffer.put_all
        for run, size in self._shell.intake.prepare_many(records):
            hand_over(run, size)
            deliveries += run
        return deliveries

    def flush(self, timeout: float | None = None) -> int:
        """Send everything put so far without lingering, and wait for the outcomes.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many of these records have no outcome yet; they stay on their way.

        Raises:
            WaitInCallbackError: A delivery callback called it.
            ForkedProducerError: The producer belongs to the parent process.
        """
        return self._shell.flush(timeout)

    def close(self, timeout: float | None = None) -> tuple[UserRecord, ...]:
        """Take no more records, flush, and end.

        Args:
            timeout: How long to wait for outcomes, in seconds; None for as long as it takes.

        Returns:
            What was not acknowledged in time, in put order per key. Some of it may have arrived all the same.
            Their deliveries fail. Nothing in a process that was forked later: the records are its parent's.

        Raises:
            WaitInCallbackError: A delivery callback called it.
            HeldUpError: A callback or hook does not return. It cannot be raised without a ``timeout``.
        """
        return self._shell.close(timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Close the producer.

        Raises:
            UnsentRecordsError: Records were not acknowledged within ``close_timeout``, and nothing worse is
                under way.
        """
        timeout = self._shell.config.close_timeout
        unsent = self.close(timeout)
        if unsent and error is None:
            raise UnsentRecordsError(len(unsent), timeout, self._shell.last_error)
