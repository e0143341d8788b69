"""Spans of what payments do beside the stream: into their queue, out of it, and at the provider.

::

    process orders ──> send QUEUE ──> (the queue) ──> process QUEUE ──> POST /v1/charges
    (CapturePayment)                                       └──> send orders (PaymentCaptured)
"""

import datetime as dt
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Final

from orderstream.observability.tracing import SQS, Destination, NoTracer, Span, Tracer
from orderstream_consumer.processing.clock import utc_now
from orderstream_workers.services.payments.queue import PaymentQueue, QueuedPayment

NO_TRACER: Final[Tracer] = NoTracer()


class TracedPaymentQueue:
    """A queue whose messages name the span that sent them.

    Args:
        inner: The queue.
        tracer: Begins the spans, as children of its current span.
        name: The queue's name.
    """

    def __init__(self, inner: PaymentQueue, tracer: Tracer, name: str) -> None:
        self._inner = inner
        self._tracer = tracer
        self._destination = Destination(SQS, name)

    def send(self, order_id: str, delay: int = 0, traceparent: str | None = None) -> None:
        """See ``PaymentQueue.send``; a context that is given is kept."""
        attributes = self._destination.attributes("send") | {
            "orderstream.order_id": order_id,
            "orderstream.delay_seconds": delay,
        }
        name = self._destination.span_name("send")
        with self._tracer.span(name, "producer", attributes=attributes) as span:
            self._inner.send(order_id, delay, traceparent or span.traceparent)

    def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
        """See ``PaymentQueue.receive``; polls have no spans."""
        return self._inner.receive(limit, wait=wait, visibility=visibility)

    def extend(self, message: QueuedPayment, visibility: int) -> None:
        """See ``PaymentQueue.extend``."""
        self._inner.extend(message, visibility)

    def delete(self, message: QueuedPayment) -> None:
        """See ``PaymentQueue.delete``."""
        self._inner.delete(message)

    def depth(self) -> int:
        """See ``PaymentQueue.depth``."""
        return self._inner.depth()


class QueuedSpans:
    """Begins the spans of what comes out of the queue.

    Args:
        tracer: Begins them; by default nothing is traced.
        queue: The queue's name.
        application: Who processes it.
        clock: The time (UTC), to say how long a message has waited.
    """

    def __init__(
        self,
        tracer: Tracer = NO_TRACER,
        *,
        queue: str = "",
        application: str = "",
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self.tracer = tracer
        self._destination = Destination(SQS, queue)
        self._application = application
        self._clock = clock

    def message(self, message: QueuedPayment) -> AbstractContextManager[Span]:
        """The current span while a message is worked on; one that came again says so."""
        attributes = self._destination.attributes("process") | {
            "messaging.consumer.group.name": self._application,
            "orderstream.order_id": message.order_id,
            "orderstream.deliveries": message.receives,
        }
        if message.sent_at is not None:
            attributes["orderstream.arrived_at"] = message.sent_at.isoformat()
            attributes["orderstream.waited_seconds"] = (self._clock() - message.sent_at).total_seconds()
        return self.tracer.span(
            self._destination.span_name("process"),
            "consumer",
            parent=message.traceparent,
            links=() if message.traceparent is None else (message.traceparent,),
            attributes=attributes,
        )
