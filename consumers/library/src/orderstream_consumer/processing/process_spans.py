"""Spans and log lines of what is processed: one for each message that is carried out, one for each batch.

::

    send orders ──> (the stream) ──> process orders      parent and link: the message's context
                                          │
                                          └──> send orders, ...    what is decided there

A message that was long on its way (a replay, a redrive, a consumer that was stopped) begins a trace of its
own, which links to the message's: a trace of days could not be read, and AWS X-Ray takes none.

What was slow is logged at INFO with its duration, everything else at DEBUG. What fails is logged where it is
tried again.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Final

import msgspec

from orderstream.messages import Envelope, NotAnEventError, uncompressed
from orderstream.messages.spans import about
from orderstream.observability.log_context import log_about, span_fields
from orderstream.observability.tracing import KINESIS, NO_SPAN, Destination, NoTracer, Span, Tracer, Value
from orderstream_consumer.processing.clock import utc_now
from orderstream_consumer.processing.record import DeliveredRecord

logger = logging.getLogger(__name__)

SLOW_SECONDS: Final = 1.0
"""From how many seconds on a message, or a batch, counts as slow."""

LONGEST_WAIT: Final = dt.timedelta(hours=1)
"""From a message's arrival to its processing, in one trace."""

MAX_LINKS: Final = 128
"""Links of one span: more would be dropped without a word by OpenTelemetry's SDK."""

_NO_TRACER: Final[Tracer] = NoTracer()
_UNTRACED: Final[AbstractContextManager[Span]] = nullcontext(NO_SPAN)


class ProcessSpans:
    """Begins the spans of what one application processes, and logs it. Nothing is decided by what it says.

    Args:
        tracer: Begins the spans; by default nothing is traced.
        stream: The stream's name.
        application: The application's name.
        slow_seconds: What took at least so long is logged at INFO; 0 does that with everything.
        clock: The time (UTC), to say how long a message has waited.
        monotonic: Seconds, to say how long it took.
    """

    def __init__(
        self,
        tracer: Tracer = _NO_TRACER,
        *,
        stream: str = "",
        application: str = "",
        slow_seconds: float = SLOW_SECONDS,
        clock: Callable[[], dt.datetime] = utc_now,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._tracer = tracer
        self._slow_seconds = slow_seconds
        self._clock = clock
        self._monotonic = monotonic
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
            return self._logged(_UNTRACED, [record])
        known = {**about(envelope), "orderstream.decided_at": envelope.time.isoformat()}
        return self._logged(self._span(record, envelope.traceparent, known), [record])

    def record(self, record: DeliveredRecord) -> AbstractContextManager[Span]:
        """The current span while one record is carried out, which may be a message or anything else.

        Args:
            record: The record.
        """
        traced = self._span(record, _context(record), {}) if self._tracer.enabled else _UNTRACED
        return self._logged(traced, [record])

    def batch(self, records: Sequence[DeliveredRecord]) -> AbstractContextManager[Span]:
        """The current span while records are carried out together, with a link to the context of each.

        Args:
            records: The records, at least one; the first ``MAX_LINKS`` with a context are linked to.
        """
        if not self._tracer.enabled:
            return self._logged(_UNTRACED, records, "batch processed")
        contexts = (context for record in records if (context := _context(record)) is not None)
        traced = self._tracer.span(
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
        return self._logged(traced, records, "batch processed")

    @contextmanager
    def _logged(
        self,
        begun: AbstractContextManager[Span],
        records: Sequence[DeliveredRecord],
        done: str = "message processed",
    ) -> Iterator[Span]:
        """Name the span in every line about this work, and say at its end how long it took."""
        began, waited = self._monotonic(), self._waited(records[0]).total_seconds()
        with begun as span:
            traced = span_fields(span.traceparent)
            log_about(**traced)
            yield span
        took = self._monotonic() - began
        level = logging.INFO if took >= self._slow_seconds else logging.DEBUG
        if logger.isEnabledFor(level):
            measured = {"duration_seconds": round(took, 3), "waited_seconds": round(waited, 3)}
            several = {"records": len(records)} if len(records) > 1 else {}
            logger.log(
                level,
                done,
                extra={"shard_id": records[0].shard_id, **several, **measured, **traced},
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
