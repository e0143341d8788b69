"""Puts encoded messages into the stream and waits until Kinesis has acknowledged all of them."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from orderstream import BufferFullError, DeliveryFailedError, Producer, ProducerClosedError
from orderstream.errors import DependencyError
from orderstream.messages import NotAnEventError, compressed, decode_envelope
from orderstream.messages.spans import NOT_TRACED, SendSpans
from orderstream.observability.tracing import NO_SPAN, Span
from orderstream.producer.intake import RUN_BYTES


class Publisher(Protocol):
    """Publishes messages of one order, in order."""

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        """Put messages and wait for every acknowledgement.

        Args:
            envelopes: Encoded envelopes, in the order that they must have in the stream.
            partition_key: The order id.

        Raises:
            DependencyError: not all of them are known to have arrived; publish them again.
        """


class KinesisPublisher:
    """Publishes through the producer SDK.

    Messages that are put at one moment keep their order: if the producer gives one up, it gives up those
    behind it, and all are published again. Those too large for that are published one part after the other.

    Args:
        producer: The process's producer.
        timeout: Seconds to wait for each acknowledgement before the input is handed back to its retry,
            above 0.
        compress: Whether messages travel compressed where that makes them smaller.
        spans: Begins a span for each message, which ends with its acknowledgement; by default nothing is
            traced.
    """

    def __init__(
        self,
        producer: Producer,
        timeout: float = 30.0,
        *,
        compress: bool = False,
        spans: SendSpans = NOT_TRACED,
    ) -> None:
        self._producer = producer
        self._spans = spans
        self._timeout = timeout
        self._compress = compress

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        """See ``Publisher.publish``."""
        if self._spans.enabled:
            self._publish_traced(envelopes, partition_key)
        else:
            self._publish(envelopes, partition_key)

    def _publish(
        self,
        envelopes: Sequence[bytes],
        partition_key: str,
        acknowledged: Callable[[], object] = lambda: None,
    ) -> None:
        if self._compress:
            envelopes = [compressed(envelope) for envelope in envelopes]
        try:
            for together in _handed_over_together(envelopes, len(partition_key.encode())):
                deliveries = self._producer.put_many([(envelope, partition_key) for envelope in together])
                for delivery in deliveries:
                    delivery.result(timeout=self._timeout)
                    acknowledged()
        except (BufferFullError, ProducerClosedError, DeliveryFailedError, TimeoutError) as error:
            # None of these says anything about the input: it must be retried, never parked.
            raise DependencyError("kinesis", "PutRecords", str(error)) from error

    def _publish_traced(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        spans = deque(self._begin(encoded) for encoded in envelopes)
        try:
            # The bytes stay as they are: what is published again is what was published before.
            self._publish(envelopes, partition_key, lambda: spans.popleft().end())
        except BaseException as error:
            for span in spans:
                span.fail(type(error).__name__)
                span.end()
            raise

    def _begin(self, encoded: bytes) -> Span:
        try:
            return self._spans.begin(decode_envelope(encoded))
        except NotAnEventError:
            return NO_SPAN  # whether that may go out is not for here to say


def _handed_over_together(envelopes: Sequence[bytes], key_bytes: int) -> Iterator[Sequence[bytes]]:
    """Cut messages into the parts that ``put_many`` hands over at one moment."""
    first, size = 0, 0
    for index, envelope in enumerate(envelopes, start=1):
        size += len(envelope) + key_bytes
        if size >= RUN_BYTES:
            yield envelopes[first:index]
            first, size = index, 0
    if first < len(envelopes):
        yield envelopes[first:]


class CollectingPublisher:
    """Keeps what is published, for tests and simulations."""

    def __init__(self) -> None:
        self.published: list[bytes] = []

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:  # noqa: ARG002 - the protocol's
        """See ``Publisher.publish``."""
        self.published.extend(envelopes)
