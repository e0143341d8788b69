"""Spans of messages: what they say, and one for each that is sent, until its acknowledgement."""

from typing import Final

from orderstream.messages.envelope import Envelope
from orderstream.messages.registry import REGISTRY
from orderstream.observability.tracing import KINESIS, Destination, NoTracer, Span, Tracer, Value


def about(envelope: Envelope) -> dict[str, Value]:
    """What a span says of one message: its ids, its type, and its subject under that subject's own name.

    ``orderstream.order_id``, say; ``orderstream.subject`` where the type is not known here.
    """
    kind = REGISTRY.type_of(envelope.type)
    return {
        "messaging.message.id": envelope.id,
        "messaging.message.conversation_id": envelope.conversation_id,
        "cloudevents.event_type": envelope.type,
        f"orderstream.{kind.subject_field if kind is not None else 'subject'}": envelope.subject,
    }


class SendSpans:
    """Begins the spans of what goes into one stream or queue.

    Args:
        tracer: Begins them, as children of its current span.
        destination: The stream's name, or another destination.
    """

    def __init__(self, tracer: Tracer, destination: str | Destination) -> None:
        if isinstance(destination, str):
            destination = Destination(KINESIS, destination)
        self.enabled = tracer.enabled
        self._tracer = tracer
        self._name = destination.span_name("send")
        self._attributes = destination.attributes("send")

    def begin(self, envelope: Envelope) -> Span:
        """Begin the span of one message, to be ended with its acknowledgement.

        It links to what the message itself names as its cause, if that is not the current span: a message
        that is sent again was decided on in another one.

        Args:
            envelope: The message.
        """
        links = () if envelope.traceparent is None else (envelope.traceparent,)
        if links and envelope.traceparent == self._tracer.current().traceparent:
            links = ()
        return self._tracer.begin(
            self._name, "producer", links=links, attributes=self._attributes | about(envelope)
        )


NOT_TRACED: Final = SendSpans(NoTracer(), "")
"""No spans."""
