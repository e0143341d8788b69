"""Traces through AWS X-Ray's SDK (extra ``xray``): each span is a document, sent to X-Ray's daemon by UDP.

::

    span begins ──> SDK's Segment, kept by the span alone
    span ends ────> its document, JSON ──one datagram, never waited for──> the daemon, 127.0.0.1:2000
                                            └─ nobody listens, it is too slow: dropped, warned of now and then

Of the SDK these are used: its documents, and where it looks for the daemon (``AWS_XRAY_DAEMON_ADDRESS``). Its
recorder is not: that keeps the current segment by thread. Nor is what sends for it: that asks for the
daemon's name in DNS at each document, and never learns that nobody listens.
"""

import logging
import math
import re
import secrets
import socket
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from typing import Any, Final

from aws_xray_sdk.core.daemon_config import DaemonConfig
from aws_xray_sdk.core.exceptions.exceptions import InvalidDaemonAddressException
from aws_xray_sdk.core.models.segment import Segment

from orderstream.configuration import ConfigError
from orderstream.observability.tracing.context import TraceContext
from orderstream.observability.tracing.tracer import NO_SPAN, Attributes, Kind, Span, Value
from orderstream.observability.tracing.xray_context import xray_trace_id

logger = logging.getLogger(__name__)

MAX_ATTRIBUTES: Final = 128
"""Attributes of one span; what comes beyond them is left out, as OpenTelemetry's SDK leaves it out."""

MAX_TEXT: Final = 1_000
"""Characters of one attribute: X-Ray's limit of an annotation."""

MAX_LINKS: Final = 128
MAX_DOCUMENT: Final = 64_000
"""Bytes of one document: X-Ray takes 64 KB, and so does a datagram."""

WARN_EVERY: Final = 600.0

NAMESPACE: Final = "orderstream"
"""Of the metadata: ``name``, ``kind``, ``service``, ``links``, and every attribute that is no annotation."""

ANNOTATIONS: Final = {
    "orderstream.order_id": "order_id",
    "messaging.message.conversation_id": "conversation_id",
    "cloudevents.event_type": "event_type",
    "error.type": "error_type",
}
"""The attributes by which X-Ray finds traces; it indexes 50 of a trace."""

HTTP: Final = {
    "http.request.method": ("request", "method"),
    "url.path": ("request", "url"),
    "http.response.status_code": ("response", "status"),
}
"""The attributes that a document has a place of its own for."""

_HEADER: Final = b'{"format":"json","version":1}\n'
"""Before each document (https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html)."""

_UNNAMEABLE: Final = re.compile(r"[^\w\s.:/%&#=+\\\-@]")
_MAX_NAME: Final = 200
_LOW: Final = 2**64 - 1


class XRayTracer:
    """Begins spans, and sends each to X-Ray's daemon when it ends.

    What a message or a request caused is a segment, in the name of the service; what is done within it is a
    subsegment, by its own name. X-Ray draws no links: they stand in a document's metadata.

    Args:
        service: What segments are called: the process.
        daemon: Its address, ``127.0.0.1:2000`` by default; ``AWS_XRAY_DAEMON_ADDRESS`` wins over it. A name
            is resolved once; where it is not known, nothing is sent.
        ratio: Share of the traces that begin here which are sent, 0 to 1; the others have contexts that say
            so, and so nobody further on sends them.
        outer: The ``traceparent`` of the caller's own current segment, such as ``xray_traceparent``; by
            default none.
        clock: Nanoseconds since the epoch.
        ticks: Monotonic nanoseconds: a clock that is set changes no duration.

    Raises:
        ConfigError: the daemon's address is none, or the ratio is out of range.
    """

    enabled = True

    def __init__(
        self,
        service: str,
        *,
        daemon: str | None = None,
        ratio: float = 1.0,
        outer: Callable[[], str | None] = lambda: None,
        clock: Callable[[], int] = time.time_ns,
        ticks: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        if not 0 <= ratio <= 1:
            raise ConfigError("ratio", ratio, "from 0 to 1")
        self._service = service
        self._bound = round(ratio * (_LOW + 1))
        self._outer = outer
        self._clock = clock
        self._ticks = ticks
        self._warned = False
        self._daemon = _Daemon(daemon)

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
    ) -> Span:
        """See ``Tracer.begin``."""
        return self._begin(name, kind, parent, links, attributes)

    def span(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes | None = None,
    ) -> AbstractContextManager[Span]:
        """See ``Tracer.span``."""
        return _current(self._begin(name, kind, parent, links, attributes))

    def current(self) -> Span:
        """See ``Tracer.current``."""
        return _CURRENT.get() or NO_SPAN

    def close(self) -> None:
        """See ``Tracer.close``: what has ended is sent already."""
        self._daemon.close()

    def _begin(
        self, name: str, kind: Kind, parent: str | None, links: Sequence[str], attributes: Attributes | None
    ) -> "_Span":
        current = _CURRENT.get() if parent is None else None
        if current is not None:
            cause: TraceContext | None = current.context
        else:
            named = self._outer() if parent is None else parent
            cause = None if named is None else self._read(named)
        trace_id = cause.trace_id if cause else self._new_trace_id()
        sampled = cause.sampled if cause else trace_id & _LOW < self._bound
        context = TraceContext(trace_id, secrets.randbits(64) or 1, sampled)
        if not sampled:
            return _Span(context)
        within = current is not None and kind in {"client", "producer", "internal"}
        segment = Segment(
            _nameable(name if within else self._service),
            entityid=f"{context.span_id:016x}",
            traceid=xray_trace_id(trace_id),
            parent_id=f"{cause.span_id:016x}" if cause else None,
        )
        segment.start_time = self._clock() / 1e9
        span = _Recorded(context, segment, self._daemon, self._ticks)
        span.metadata.update(name=name, kind=kind, service=self._service)
        if within:
            segment.type = "subsegment"
            if kind == "client":
                segment.namespace = "remote"
        for link in links[:MAX_LINKS]:
            if (found := self._read(link)) is not None:
                span.link_to(found)
        for key, value in (attributes or {}).items():
            span.set(key, value)
        return span

    def _new_trace_id(self) -> int:
        # X-Ray reads the first 32 bits as the second in which the trace began.
        seconds = self._clock() // 10**9 & 0xFFFFFFFF
        return (seconds << 96 | secrets.randbits(96)) or 1

    def _read(self, traceparent: str) -> TraceContext | None:
        found = TraceContext.read(traceparent)
        if found is None and not self._warned:
            self._warned = True
            logger.warning("a traceparent is malformed and left out, as all such will be")
        return found


class _Span:
    """A span that is not recorded: its context says so to what it causes."""

    def __init__(self, context: TraceContext) -> None:
        self.context = context
        self.traceparent: str | None = str(context)

    def set(self, name: str, value: Value) -> None:
        """Do nothing."""

    def link(self, traceparent: str) -> None:
        """Do nothing."""

    def fail(self, error_type: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


class _Recorded(_Span):
    def __init__(
        self, context: TraceContext, segment: Any, daemon: "_Daemon", ticks: Callable[[], int]
    ) -> None:
        super().__init__(context)
        self.metadata: dict[str, object] = {}
        self._segment = segment
        self._daemon = daemon
        self._ticks = ticks
        self._began = ticks()
        self._attributes = 0
        self._links: list[str] = []

    def set(self, name: str, value: Value) -> None:
        """See ``Span.set``."""
        if not self._segment.in_progress or self._attributes == MAX_ATTRIBUTES:
            return
        self._attributes += 1
        if isinstance(value, float) and not math.isfinite(value):
            value = str(value)  # JSON has no such number
        elif not isinstance(value, bool | int | float):
            value = str(value)[:MAX_TEXT]
        if (annotation := ANNOTATIONS.get(name)) is not None:
            self._segment.put_annotation(annotation, value)
        elif (place := HTTP.get(name)) is not None and isinstance(
            value, int if place[0] == "response" else str
        ):
            self._segment.put_http_meta(place[1], value)
        else:
            self.metadata[name] = value

    def link(self, traceparent: str) -> None:
        """See ``Span.link``."""
        if (found := TraceContext.read(traceparent)) is not None:
            self.link_to(found)

    def link_to(self, to: TraceContext) -> None:
        """Link to a span whose context was read before."""
        if len(self._links) < MAX_LINKS:
            self._links.append(f"{xray_trace_id(to.trace_id)}/{to.span_id:016x}")

    def fail(self, error_type: str) -> None:
        """See ``Span.fail``."""
        if self._segment.in_progress:
            self._segment.add_fault_flag()
            self.set("error.type", error_type)

    def end(self) -> None:
        """See ``Span.end``."""
        if not self._segment.in_progress:
            return
        if self._links:
            self.metadata["links"] = self._links
        self._segment.metadata = {NAMESPACE: self.metadata}
        self._segment.close(self._segment.start_time + (self._ticks() - self._began) / 1e9)
        self._daemon.send(self._segment.serialize())


_CURRENT: Final[ContextVar[_Span | None]] = ContextVar("orderstream_xray_span", default=None)


@contextmanager
def _current(span: _Span) -> Iterator[Span]:
    token = _CURRENT.set(span)
    try:
        yield span
    except BaseException as error:
        span.fail(type(error).__name__)
        raise
    finally:
        _CURRENT.reset(token)
        span.end()


class _Daemon:
    """Where documents go; sending never waits and never raises."""

    def __init__(self, address: str | None) -> None:
        try:
            daemon = DaemonConfig(address)
        except InvalidDaemonAddressException as error:
            raise ConfigError("daemon", address, "HOST:PORT of X-Ray's daemon") from error
        self._address = f"{daemon.udp_ip}:{daemon.udp_port}"
        self._quiet_until = -math.inf
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            # Connected, so that it is known here that nobody listens there.
            self._socket.connect((daemon.udp_ip, daemon.udp_port))
        except (OSError, OverflowError) as error:
            self._warn(f"{type(error).__name__}: {error}")
            self._socket.close()

    def send(self, document: str) -> None:
        if len(document) > MAX_DOCUMENT:
            self._warn(f"its document has {len(document)} bytes, and X-Ray takes {MAX_DOCUMENT}")
            return
        try:
            self._socket.send(_HEADER + document.encode())
        except OSError as error:
            self._warn(f"{type(error).__name__}: {error}")

    def close(self) -> None:
        self._socket.close()

    def _warn(self, reason: str) -> None:
        if self._socket.fileno() < 0:
            return  # closed: what ends later is lost, as it is said
        now = time.monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + WARN_EVERY
            logger.warning(
                "a span does not reach X-Ray's daemon and is dropped, as more may be",
                extra={"daemon": self._address, "reason": reason},
            )


def _nameable(name: str) -> str:
    return _UNNAMEABLE.sub("_", name)[:_MAX_NAME] or "unnamed"
