"""W3C trace context: which span of which trace a message or a request comes from. Pure.

https://www.w3.org/TR/trace-context/#traceparent-header
"""

import re
from typing import Final, NamedTuple, Self

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
_FORBIDDEN_VERSION: Final = "ff"
_SAMPLED: Final = 1


class TraceContext(NamedTuple):
    """A span as others name it.

    Attributes:
        trace_id: The trace, 1 to 2**128 - 1.
        span_id: The span, 1 to 2**64 - 1.
        sampled: Whether it is recorded.
    """

    trace_id: int
    span_id: int
    sampled: bool

    @classmethod
    def read(cls, traceparent: str) -> Self | None:
        """What a ``traceparent`` says; None if it is malformed.

        A later version than 00 may say more behind a fourth hyphen, which is left out, as the standard asks.
        """
        found = _FORM.fullmatch(traceparent)
        if found is None:
            return None
        version, trace_id, span_id, flags, more = found.groups()
        if version == _FORBIDDEN_VERSION or (version == "00" and more is not None):
            return None
        context = cls(int(trace_id, 16), int(span_id, 16), bool(int(flags, 16) & _SAMPLED))
        return context if context.trace_id and context.span_id else None

    def __str__(self) -> str:
        """The ``traceparent``."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.sampled):02x}"
