"""Puts typed messages into the stream: message -> envelope -> partition key -> producer."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any, Literal, Protocol

import msgspec

from orderstream.messages import (
    Envelope,
    Event,
    check_conversation,
    check_identifier,
    check_identifiers,
    compressed,
    initial,
)
from orderstream.messages.compression import zstd
from orderstream.messages.spans import NOT_TRACED, SendSpans
from orderstream.observability.tracing import Span
from orderstream.producer.outcome import Delivered


class PendingDelivery(Protocol):
    """The outcome of one put, now or later; ``orderstream.Delivery`` is one."""

    def result(self, timeout: float | None = None) -> Delivered:
        """Wait until Kinesis has acknowledged the record.

        Args:
            timeout: How long at most, in seconds; None for as long as it takes.

        Raises:
            DeliveryFailedError: The record was given up.
            TimeoutError: There is no outcome yet; the record is still on its way.
        """

    def exception(self, timeout: float | None = None) -> BaseException | None:
        """Wait for the outcome and return what ``result`` would raise, or None. Asked where sends are traced.

        Args:
            timeout: As that of ``result``.
        """

    def add_done_callback(self, callback: Callable[[Any], object]) -> None:
        """Call something with this delivery once the outcome is there. Asked where sends are traced.

        Args:
            callback: What to call.
        """


class RecordProducer(Protocol):
    """An object that puts records; ``orderstream.Producer`` is one."""

    def put(self, data: bytes, partition_key: str) -> PendingDelivery:
        """Hand a record over.

        Args:
            data: The payload.
            partition_key: The key whose records keep their order.
        """


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class EventPublisher:
    """Publishes the events of one application. As safe for threads as its producer is.

    Example:
        ::

            with Producer("orders") as producer:
                publisher = EventPublisher(producer, source="orders")
                publisher.publish(OrderPlaced(...)).result(timeout=10)

    Args:
        producer: Puts the records.
        source: The application that publishes, the CloudEvents ``source``.
        clock: The time (UTC, with zone) of a message that is published without an envelope.
        spans: Begins a span for each message that is sent, as a child of the current one, which ends with
            the acknowledgement: ``SendSpans(OpenTelemetryTracer(), "orders")``. By default nothing is traced.
        compression: ``"zstd"`` compresses the data of an event where that makes it smaller; our consumers,
            ``decode_envelope``, undo it. Default None. It takes the extra ``zstd`` and 10 to 40
            microseconds of CPU an event of 1 KiB.

    Raises:
        MissingExtraError: The extra ``zstd`` is not installed.
    """

    def __init__(
        self,
        producer: RecordProducer,
        *,
        source: str,
        clock: Callable[[], dt.datetime] = _utc_now,
        spans: SendSpans = NOT_TRACED,
        compression: Literal["zstd"] | None = None,
    ) -> None:
        self._producer = producer
        self._source = source
        self._clock = clock
        self._spans = spans
        self._compression = compression
        if compression is not None:
            zstd()  # better here than at the first event

    def publish(
        self,
        message: Event,
        *,
        event_id: str | None = None,
        correlation_id: str | None = None,
        traceparent: str | None = None,
    ) -> PendingDelivery:
        """Wrap an event that no other message caused, and put it under its order's key.

        Args:
            message: The event. Commands and replies follow from a message: ``publish_envelope`` takes those.
            event_id: Its id, the same for every retry of the same intent (see ``initial_event_id``); by
                default a new random one, so that a repeated call is a second event.
            correlation_id: The caller's own identifier, which replies will carry.
            traceparent: W3C trace context; by default that of the span that sends it.

        Returns:
            A handle on the outcome.

        Raises:
            ConversationBegunError: It is no event that happens for reasons outside the stream.
            IdentifierInvalidError: The order's id, or another one, cannot be carried by all neighbours.
            OrderstreamError: As the producer's ``put`` does.
        """
        check_identifier(message.subject_field, message.subject)
        return self.publish_envelope(
            initial(
                message,
                source=self._source,
                event_id=event_id or str(uuid.uuid4()),
                time=self._clock(),
                correlation_id=correlation_id,
                traceparent=traceparent,
            )
        )

    def publish_envelope(self, envelope: Envelope) -> PendingDelivery:
        """Put an envelope, under the key of the order that it is about.

        Returns:
            A handle on the outcome.

        Raises:
            IdentifierInvalidError: The order's id, or another one, cannot be carried by all neighbours.
            ConversationBegunError, CommandWithoutSenderError, ReplyWithoutCommandError: It lacks what a
                message of its kind must have.
            OrderstreamError: As the producer's ``put`` does.
        """
        check_identifiers(envelope)
        check_conversation(envelope)
        if not self._spans.enabled:
            return self._put(envelope)
        span = self._spans.begin(envelope)
        try:
            delivery = self._put(
                envelope
                if envelope.traceparent is not None
                else msgspec.structs.replace(envelope, traceparent=span.traceparent)
            )
        except BaseException as error:
            span.fail(type(error).__name__)
            span.end()
            raise
        delivery.add_done_callback(lambda done: _sent(span, done))
        return delivery

    def _put(self, envelope: Envelope) -> PendingDelivery:
        event = envelope.encode()
        if self._compression is not None:
            event = compressed(event)
        return self._producer.put(event, envelope.subject)


def _sent(span: Span, delivery: PendingDelivery) -> None:
    if (error := delivery.exception()) is not None:
        span.fail(type(error).__name__)
    span.end()
