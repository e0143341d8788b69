"""W3C trace contexts are read as the standard says, and nothing else is one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderstream.observability.tracing import TraceContext

TRACE, SPAN = "5759e988bd862e3fe1be46a994272793", "53995c3f42cd8ad8"


@given(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1), st.booleans())
def test_what_is_written_is_read(trace_id: int, span_id: int, sampled: bool) -> None:
    """Text and context are two spellings of one thing."""
    context = TraceContext(trace_id, span_id, sampled)
    assert TraceContext.read(str(context)) == context


@given(st.text(max_size=80))
def test_any_text_is_a_context_or_none(text: str) -> None:
    """Nothing raises, and what is taken keeps to the form."""
    found = TraceContext.read(text)
    assert found is None or str(found)[3:52] == text[3:52]


@pytest.mark.parametrize("flags", ["00", "01", "03", "fe", "ff"])
def test_the_sampled_flag_is_the_last_bit(flags: str) -> None:
    """The other bits mean nothing here."""
    found = TraceContext.read(f"00-{TRACE}-{SPAN}-{flags}")
    assert found == (int(TRACE, 16), int(SPAN, 16), bool(int(flags, 16) & 1))


def test_a_later_version_may_say_more() -> None:
    """What stands behind its flags is passed over; in version 00 nothing may stand there."""
    assert TraceContext.read(f"cc-{TRACE}-{SPAN}-01-what-the-future-brings") is not None
    assert TraceContext.read(f"00-{TRACE}-{SPAN}-01-what-the-future-brings") is None


@pytest.mark.parametrize(
    "malformed",
    [
        "",
        "mine",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[:-1]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f" 00-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-012",
    ],
)
def test_what_is_malformed_is_none(malformed: str) -> None:
    """The standard forbids ids of zeros, capital letters and version ff."""
    assert TraceContext.read(malformed) is None
