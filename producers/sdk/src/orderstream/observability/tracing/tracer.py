"""The port that everything traces through: a tracer begins spans, and one of them is the current one.

The adapter draws the ids of spans. They travel in envelopes, and nothing is decided by them.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol

Value = str | bool | int | float
"""What an attribute of a span says."""

Attributes = Mapping[str, Value]

Kind = Literal["server", "client", "producer", "consumer", "internal"]
"""OpenTelemetry's kinds of spans."""

_NONE: Final[Attributes] = {}


class Span(Protocol):
    """One piece of work, from its begin to its end."""

    @property
    def traceparent(self) -> str | None:
        """The W3C trace context of what this span causes; None where nothing is traced."""

    def set(self, name: str, value: Value) -> None:
        """Say something about it."""

    def link(self, traceparent: str) -> None:
        """Say what else it follows from, where that is not known at its begin.

        Args:
            traceparent: Of the other span. A malformed one is left out.
        """

    def fail(self, error_type: str) -> None:
        """Say that the work failed.

        Args:
            error_type: The kind of the error, such as a class's name. Its text stays out: it may quote data.
        """

    def end(self) -> None:
        """End it; what ``Tracer.span`` has begun ends by itself."""


class Tracer(Protocol):
    """Begins spans. Safe to use from many threads. No method raises, whatever it is given."""

    enabled: bool
    """False where nothing is ever traced: callers need not prepare attributes then."""

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes = _NONE,
    ) -> Span:
        """Begin a span, which is ended by hand and is never the current one.

        Args:
            name: Of low cardinality, such as ``send orders``.
            kind: Whether it serves, calls, sends or processes.
            parent: The ``traceparent`` of what caused it, where that is elsewhere; by default the current
                span, and where there is none, it is a new trace. A malformed one counts as none, and so
                does the current span then.
            links: ``traceparent``s of what else it follows from.
            attributes: What is known of it at its begin.
        """

    def span(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        links: Sequence[str] = (),
        attributes: Attributes = _NONE,
    ) -> AbstractContextManager[Span]:
        """A span that is the current one of this thread or task while the body runs, and ends with it.

        What the body raises fails the span, and passes. Arguments are those of ``begin``.
        """

    def current(self) -> Span:
        """The current span; ``NO_SPAN`` outside of any."""

    def close(self) -> None:
        """Export what has ended, within a few seconds. Spans that end later are lost."""


class _NoSpan:
    """The span where nothing is traced."""

    traceparent: None = None

    def set(self, name: str, value: Value) -> None:
        """Do nothing."""

    def link(self, traceparent: str) -> None:
        """Do nothing."""

    def fail(self, error_type: str) -> None:
        """Do nothing."""

    def end(self) -> None:
        """Do nothing."""


NO_SPAN: Final[Span] = _NoSpan()
_NOWHERE: Final[AbstractContextManager[Span]] = nullcontext(NO_SPAN)


class NoTracer:
    """Traces nothing."""

    enabled = False

    def begin(self, name: str, kind: Kind, **_: object) -> Span:  # noqa: ARG002 - the protocol's
        """See ``Tracer.begin``."""
        return NO_SPAN

    def span(self, name: str, kind: Kind, **_: object) -> AbstractContextManager[Span]:  # noqa: ARG002
        """See ``Tracer.span``."""
        return _NOWHERE

    def current(self) -> Span:
        """See ``Tracer.current``."""
        return NO_SPAN

    def close(self) -> None:
        """See ``Tracer.close``."""
