"""Whatever bytes stand in the stream of changes, they are a change or a typed error."""

import contextlib
import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fakes.stock_changes import FIXTURE, captured
from orderstream_workers.services.stock_monitor import NotAStockChangeError, detect, read_change

WHOLE = FIXTURE.read_bytes()
PATHS = [
    ("eventID",),
    ("dynamodb",),
    ("dynamodb", "ApproximateCreationDateTime"),
    ("dynamodb", "Keys", "pk", "S"),
    ("dynamodb", "NewImage"),
    ("dynamodb", "NewImage", "available", "N"),
    ("dynamodb", "OldImage", "available", "N"),
]
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.from_regex(r"-?[0-9.eE+]{1,20}"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=5,
)


def look(data: bytes) -> None:
    with contextlib.suppress(NotAStockChangeError):
        event = detect(read_change(data), 100)
        assert event is None or event.message() is not None


@given(data=st.binary(max_size=60))
def test_any_bytes(data: bytes) -> None:
    """Noise is a typed error."""
    look(data)


@given(cut=st.integers(0, len(WHOLE)), noise=st.binary(max_size=8))
def test_a_damaged_record(cut: int, noise: bytes) -> None:
    """A record that is cut, or has noise in it, is one too, unless what counts is whole."""
    look(WHOLE[:cut] + noise)
    look(WHOLE[:cut] + noise + WHOLE[cut + len(noise) :])


@given(path=st.sampled_from(PATHS), value=VALUES)
def test_any_value_at_any_path(path: tuple[str, ...], value: object) -> None:
    """Whatever somebody wrote into the table; what becomes an event can be read as one."""
    record: dict[str, Any] = captured()
    part = record
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    look(json.dumps(record).encode("utf-8", "surrogatepass"))
