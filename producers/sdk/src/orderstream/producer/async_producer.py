"""The producer for asyncio: the same core and threads, waited for without blocking the event loop."""

import asyncio
from collections.abc import Iterable
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Self

from orderstream.aggregation.user_record import UserRecord
from orderstream.observability.metrics.meter import Meter
from orderstream.producer.config import ProducerConfig
from orderstream.producer.delivery import Delivery
from orderstream.producer.errors import BufferFullError, ForeignLoopError, UnsentRecordsError
from orderstream.producer.hooks import Interceptor, Partitioner
from orderstream.producer.outcome import Delivered
from orderstream.producer.requests.target import KinesisCalls
from orderstream.producer.threads.shell import Shell
from orderstream.producer.tracking.awaiting import waker_of
from orderstream.producer.tracking.tracked import TrackedRecord

if TYPE_CHECKING:
    import boto3


class AsyncProducer:
    """Puts records into a Kinesis stream from one event loop; an async context manager.

    Example:
        ::

            async with AsyncProducer("orders") as producer:
                delivered = await producer.put(b"...", "order-42")

    Args:
        stream: The stream's name or ARN.
        config: The settings; defaults fit most uses.
        client: A Kinesis client of boto3 to use instead of building one; see Producer.
        session: A boto3 session to build the client from.
        partitioner: Chooses explicit hash keys; see Producer.
        interceptors: See records on their way in, and outcomes; see Producer.
        meter: Measures what happens; see Producer.
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
        # Puts that find no room queue here, so that later puts of the same key do not overtake.
        self._turn = asyncio.Lock()

    def __repr__(self) -> str:
        """Say which stream, where, and what waits."""
        return f"<AsyncProducer for {self._shell}>"

    async def check(self) -> None:
        """Ask Kinesis at once whether the stream is there and its shards may be listed.

        Raises:
            StreamUnavailableError: As ``Producer.check`` does.
        """
        await asyncio.to_thread(self._shell.check)

    async def wait_ready(self, timeout: float) -> None:
        """Check until the stream can be used; an outage is waited out.

        Args:
            timeout: How long at most, in seconds.

        Raises:
            StreamUnavailableError: As ``Producer.wait_ready`` does.
        """
        await asyncio.to_thread(self._shell.wait_ready, timeout)

    async def put(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> Delivered:
        """Put a record and wait for its delivery.

        Order is that of the calls that found room: coroutines that put the same key at the same time have
        none among themselves. A cancelled put may still be delivered.

        Args:
            data: The payload.
            partition_key: The key whose records keep their order: 1 to 256 characters.
            explicit_hash_key: Overrides the hash of the partition key: 0 to 2**128 - 1.

        Returns:
            Where the record ended up.

        Raises:
            DeliveryFailedError: The record was given up.
            OrderstreamError: As ``Producer.put`` does.
        """
        return await (await self.enqueue(data, partition_key, explicit_hash_key))

    async def enqueue(
        self, data: bytes, partition_key: str, explicit_hash_key: int | None = None
    ) -> Delivery:
        """Put a record and wait for room in the buffer only.

        Returns:
            A handle on the outcome, which may be awaited.

        Raises:
            ForeignLoopError: Records wait for room in another event loop.
            OrderstreamError: As ``Producer.put`` does.
        """
        delivery = self._shell.intake.prepare(data, partition_key, explicit_hash_key)
        if not self._turn.locked():
            try:
                self._shell.buffer.put(delivery, may_block=False)
            except BufferFullError:
                if self._shell.config.when_full == "raise":
                    raise
            else:
                return delivery
        try:
            await self._turn.acquire()
        except (
            RuntimeError
        ) as error:  # asyncio's locks belong to the loop in which they were waited for first
            raise ForeignLoopError from error
        try:
            while not await self._entered(delivery):
                pass
        finally:
            self._turn.release()
        return delivery

    def put_nowait(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> Delivery:
        """Put a record and wait for nothing.

        Returns:
            A handle on the outcome, which may be awaited. Nothing needs to be done with it.

        Raises:
            BufferFullError: There is no room, or others wait for it.
            OrderstreamError: As ``Producer.put`` does.
        """
        delivery = self._shell.intake.prepare(data, partition_key, explicit_hash_key)
        if self._turn.locked():
            raise BufferFullError(delivery.size, self._shell.config.buffered_bytes)
        self._shell.buffer.put(delivery, may_block=False)
        return delivery

    async def flush(self, timeout: float | None = None) -> int:
        """Send everything put so far without lingering, and wait for the outcomes.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Returns:
            How many of these records have no outcome yet; they stay on their way.
        """
        return await asyncio.to_thread(self._shell.flush, timeout)

    async def close(self, timeout: float | None = None) -> tuple[UserRecord, ...]:
        """Take no more records, flush, and end.

        Args:
            timeout: How long to wait for outcomes, in seconds; None for as long as it takes.

        Returns:
            What was not acknowledged in time, as ``Producer.close`` does.
        """
        return await asyncio.to_thread(self._shell.close, timeout)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
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
        unsent = await self.close(timeout)
        if unsent and error is None:
            raise UnsentRecordsError(len(unsent), timeout, self._shell.last_error)

    async def _entered(self, delivery: TrackedRecord) -> bool:
        """Offer a record; if there is no room, wait until something was completed."""
        loop = asyncio.get_running_loop()
        room = loop.create_future()
        # Before the offer: room that comes about in between must not go unnoticed.
        self._shell.buffer.when_completed(partial(waker_of(loop).resolve, room))
        try:
            self._shell.buffer.put(delivery, may_block=False)
        except BufferFullError:
            await room
            return False
        return True
