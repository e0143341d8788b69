"""Bytes that claim to be an event: a message, or one of the declared errors."""

import contextlib
import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orderstream.messages import (
    NotAnEventError,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
    compressed,
    decode_envelope,
)
from orderstream_orders.catalogue.examples import example_of
from orderstream_orders.contracts import MESSAGE_TYPES

VALID = [example_of(message_type).encode() for message_type in MESSAGE_TYPES]
VALID += [compressed(data) for data in VALID if compressed(data) != data]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=300)
    | st.sampled_from(["0001-01-01T00:00:00+10:00", "2026-01-01T00:00:00", "urn:orderstream:schema:x:1"]),
    lambda children: (
        st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=5), children, max_size=3)
    ),
    max_leaves=5,
)
DEEP = b"[" * 100_000 + b"]" * 100_000


def decode(data: bytes) -> None:
    with contextlib.suppress(NotAnEventError, UnknownMessageTypeError, UnsupportedSchemaVersionError):
        envelope = decode_envelope(data)
        assert 1 <= len(envelope.subject) <= 256
        assert envelope.time.tzinfo is not None
        assert envelope.message().type_name() == envelope.type


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """An event with one to three stretches of its bytes replaced."""
    data = draw(st.sampled_from(VALID))
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        data = data[:start] + draw(st.binary(max_size=6)) + data[start + draw(st.integers(0, 20)) :]
    return data


@st.composite
def misfitting(draw: st.DrawFn) -> bytes:
    """An event with one of its attributes, or one member of its data, of another value or gone."""
    event: dict[str, Any] = json.loads(draw(st.sampled_from(VALID)))
    changed = draw(st.sampled_from([event, event["data"]] if "data" in event else [event]))
    name = draw(st.sampled_from(sorted(changed)))
    if draw(st.booleans()):
        changed[name] = draw(VALUES)
    else:
        del changed[name]
    return json.dumps(event).encode()


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300))
@example(DEEP)
@example(VALID[0].replace(b'"data":{', b'"data":{"x":' + DEEP + b","))
@example(VALID[0].replace(b':1"', b":" + b"9" * 5_000 + b'"'))
@example(VALID[0].replace(b':1"', ':\u0661"'.encode()))
def test_random_bytes_are_a_message_or_a_declared_error(data: bytes) -> None:
    """Nothing but the declared errors comes out of the decoder."""
    decode(data)


@settings(max_examples=300, deadline=None)
@given(damaged())
def test_damaged_events_are_a_message_or_a_declared_error(data: bytes) -> None:
    """The same for what was an event once."""
    decode(data)


@settings(max_examples=300, deadline=None)
@given(misfitting())
def test_events_with_wrong_values_are_a_message_or_a_declared_error(data: bytes) -> None:
    """The same for JSON whose members are of other types, other lengths, or missing."""
    decode(data)
