"""Spans of what is processed: one for each message that a handler carries out, one for each batch.

::

    send orders ──> (the stream) ──> process orders      parent and link: the message's context
                                          │
                                          └──> send orders, ...    what is decided there

A message that was long on its way (a replay, a redrive, a consumer that was stopped) begins a trace of its
own, which links to the message's: a trace of days could not be read, and AWS X-Ray takes none.
"""

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final

import msgspec

from orderstream.messages import Envelope, NotAnEventError, uncompressed
from orderstream.messages.spans import about
from orderstream.observability.tracing import KINESIS, NO_SPAN, Destination, NoTracer, Span, Tracer, Value
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.record import DeliveredRecord

LONGEST_WAIT: Final = dt.timedelta(hours=1)
"""From a message's arrival to its processing, in one trace."""

MAX_LINKS: Final = 128
"""Links of one span: more would be dropped without a word by OpenTelemetry's SDK."""

_NO_TRACER: Final[Tracer] = NoTracer()
_UNTRACED: Final[AbstractContextManager[Span]] = nullcontext(NO_SPAN)


class ProcessSpans:
    """Begins the spans of what one application processes. Nothing is decided by what it says.

    Args:
        tracer: Begins them; by default nothing is traced.
        stream: The stream's name.
        application: The application's name.
        clock: The time (UTC), to say how long a message has waited.
    """

    def __init__(
        self,
        tracer: Tracer = _NO_TRACER,
        *,
        stream: str = "",
        application: str = "",
        clock: Callable[[], dt.datetime] = utc_now,
    ) -> None:
        self._tracer = tracer
        self._clock = clock
        destination = Destination(KINESIS, stream)
        self._name = destination.span_name("process")
        self._attributes = destination.attributes("process") | {"messaging.consumer.group.name": application}

    def message(self, record: DeliveredRecord, envelope: Envelope) -> AbstractContextManager[Span]:
        """The current span while one message is carried out.

        Args:
            record: The record that it came in.
            envelope: The message.
        """
        if not self._tracer.enabled:
            return _UNTRACED
        known = {**about(envelope), "orderstream.decided_at": envelope.time.isoformat()}
        return self._span(record, envelope.traceparent, known)

    def record(self, record: DeliveredRecord) -> AbstractContextManager[Span]:
        """The current span while one record is carried out, which may be a message or anything else.

        Args:
            record: The record.
        """
        return self._span(record, _context(record), {}) if self._tracer.enabled else _UNTRACED

    def batch(self, records: Sequence[DeliveredRecord]) -> AbstractContextManager[Span]:
        """The current span while records are carried out together, with a link to the context of each.

        Args:
            records: The records, at least one; the first ``MAX_LINKS`` with a context are linked to.
        """
        if not self._tracer.enabled:
            return _UNTRACED
        contexts = (context for record in records if (context := _context(record)) is not None)
        return self._tracer.span(
            self._name,
            "consumer",
            links=[context for context, _ in zip(contexts, range(MAX_LINKS), strict=False)],
            attributes={
                **self._attributes,
                **_place(records[0]),
                "messaging.batch.message_count": len(records),
                "orderstream.waited_seconds": self._waited(records[0]).total_seconds(),
            },
        )

    def _span(
        self, record: DeliveredRecord, cause: str | None, known: Mapping[str, Value]
    ) -> AbstractContextManager[Span]:
        waited = self._waited(record)
        return self._tracer.span(
            self._name,
            "consumer",
            parent=cause if waited <= LONGEST_WAIT else None,
            links=() if cause is None else (cause,),
            attributes={
                **self._attributes,
                **known,
                **_place(record),
                "orderstream.waited_seconds": waited.total_seconds(),
            },
        )

    def _waited(self, record: DeliveredRecord) -> dt.timedelta:
        return self._clock() - record.approximate_arrival


def _place(record: DeliveredRecord) -> dict[str, Value]:
    return {
        "messaging.destination.partition.id": record.shard_id,
        "orderstream.position": str(record.position),
        "orderstream.arrived_at": record.approximate_arrival.isoformat(),
    }


class _Traced(msgspec.Struct):
    """What of an envelope is read here; the rest is passed over."""

    traceparent: str | None = None


_DECODER: Final = msgspec.json.Decoder(_Traced)


def _context(record: DeliveredRecord) -> str | None:
    try:
        return _DECODER.decode(uncompressed(record.data)).traceparent
    except (NotAnEventError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # whether that is allowed is not for here to say


NOT_TRACED: Final = ProcessSpans()
"""No spans."""
