"""Spans of what is sent: one for each message, from the call until the acknowledgement."""

from typing import Final

from orderstream.messages import Envelope
from orderstream.observability.tracing.messaging import KINESIS, Destination, about
from orderstream.observability.tracing.tracer import NoTracer, Span, Tracer


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
