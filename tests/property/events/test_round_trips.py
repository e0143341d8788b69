"""Any message that can be built survives the stream, also with fields in it that nobody knows yet."""

import datetime as dt
import json
from typing import Any

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from fakes.messages import envelope_of
from orderstream.messages import Message, compressed, decode_envelope, derived_id, uncompressed
from orderstream_orders.contracts import MESSAGE_TYPES

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
TIMES = st.datetimes(timezones=st.just(dt.UTC))
TEXT = st.text(max_size=12)
IDENTIFIERS = st.text(st.characters(codec="ascii", categories=["L", "N"]), min_size=1, max_size=12)


SIMPLE: dict[type[msgspec.inspect.Type], st.SearchStrategy[Any]] = {
    msgspec.inspect.StrType: TEXT,
    msgspec.inspect.IntType: st.integers(min_value=-(2**63), max_value=2**63 - 1),
    msgspec.inspect.BoolType: st.booleans(),
    msgspec.inspect.NoneType: st.none(),
    msgspec.inspect.DateTimeType: TIMES,
}


def values(kind: msgspec.inspect.Type) -> st.SearchStrategy[Any]:
    match kind:
        case msgspec.inspect.StructType(cls=cls, fields=fields):
            return st.builds(
                cls,
                **{
                    field.name: IDENTIFIERS
                    if field.name == getattr(cls, "subject_field", None)
                    else values(field.type)
                    for field in fields
                },
            )
        case msgspec.inspect.VarTupleType(item_type=item):
            return st.lists(values(item), max_size=4).map(tuple)
        case msgspec.inspect.UnionType(types=types):
            return st.one_of(*(values(branch) for branch in types))
        case msgspec.inspect.LiteralType(values=literals):
            return st.sampled_from(list(literals))
        case _:
            return SIMPLE[type(kind)]


MESSAGES: st.SearchStrategy[Message] = st.one_of(
    *(values(msgspec.inspect.type_info(message_type)) for message_type in MESSAGE_TYPES)
)
ANYTHING = st.one_of(TEXT, st.integers(), st.none(), st.lists(TEXT))
UNKNOWN = st.dictionaries(IDENTIFIERS.map(lambda name: f"x_{name}"), ANYTHING, max_size=3)


@given(message=MESSAGES, correlation=st.none() | IDENTIFIERS)
def test_every_message_survives_the_stream(message: Message, correlation: str | None) -> None:
    """Encoded and decoded, envelope and message are what they were."""
    envelope = envelope_of(message, source="tests", event_id="e-1", time=NOW, correlation_id=correlation)
    decoded = decode_envelope(envelope.encode())
    assert decoded == envelope
    assert decoded.message() == message
    assert decoded.encode() == envelope.encode()


@given(
    message=MESSAGES,
    in_data=UNKNOWN,
    in_envelope=UNKNOWN,
    repeated=st.sampled_from(["", "and so on, " * 200]),
)
def test_compression_changes_nothing_and_never_adds_a_byte(
    message: Message, in_data: dict[str, Any], in_envelope: dict[str, Any], repeated: str
) -> None:
    """Undone, every member is there as it was; only what became smaller is compressed at all."""
    envelope = json.loads(envelope_of(message, source="tests", event_id="e-1", time=NOW).encode())
    data = {**in_data, **envelope["data"], "x_long": repeated}
    plain = json.dumps({**in_envelope, **envelope, "data": data}).encode()
    small = compressed(plain)
    assert len(small) < len(plain) or small == plain
    assert bool(repeated) <= (small != plain)
    assert json.loads(uncompressed(small)) == json.loads(plain)
    assert decode_envelope(small) == decode_envelope(plain)
    assert (compressed(small), uncompressed(uncompressed(small))) == (small, uncompressed(small))


@given(message=MESSAGES, in_data=UNKNOWN, in_envelope=UNKNOWN)
def test_fields_that_nobody_knows_yet_change_nothing(
    message: Message, in_data: dict[str, Any], in_envelope: dict[str, Any]
) -> None:
    """A reader ignores what a newer writer adds, in the envelope and in the data."""
    envelope = json.loads(envelope_of(message, source="tests", event_id="e-1", time=NOW).encode())
    grown = {**in_envelope, **envelope, "data": {**in_data, **envelope["data"]}}
    assert decode_envelope(json.dumps(grown).encode()).message() == message


@given(
    one=st.tuples(IDENTIFIERS, IDENTIFIERS, st.integers(0, 50)),
    other=st.tuples(IDENTIFIERS, IDENTIFIERS, st.integers(0, 50)),
)
def test_derived_ids_are_equal_exactly_where_source_cause_and_ordinal_are(
    one: tuple[str, str, int], other: tuple[str, str, int]
) -> None:
    """Deterministic, and different for anything different."""
    assert (derived_id(*one) == derived_id(*other)) == (one == other)
