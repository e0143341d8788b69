"""The fake's own checks against botocore's: the same parameters are refused, and the rest is sent alike."""

import datetime as dt
import json
import re
from base64 import b64decode
from typing import Any

import pytest
from botocore.exceptions import ParamValidationError
from botocore.model import Shape
from botocore.serialize import create_serializer
from botocore.validate import ParamValidator
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.kinesis_model import operation_model, service_model
from orderstream.testing.validation.parameters import as_sent

ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=3),
    st.binary(max_size=3),
    st.lists(st.none() | st.integers() | st.text(max_size=2), max_size=2),
    st.dictionaries(st.text(max_size=2), st.none() | st.integers(), max_size=2),
    st.builds(memoryview, st.binary(max_size=3)),
)
TIMES = st.one_of(
    st.datetimes(
        timezones=st.sampled_from([None, dt.UTC, dt.timezone(dt.timedelta(hours=5, minutes=30))]),
    ),
    st.integers(0, 2**33),
    st.floats(0, 2**33),
    st.sampled_from([2**60, -(2.0**60)]),
    st.sampled_from(["2026-01-01T00:00:00Z", "2026-01-01T00:00:00.5+02:00", "1767225600", "yesterday", ""]),
)


def fitting(shape: Shape) -> st.SearchStrategy[Any]:
    """Values of a shape; at each path there may be anything else, and unknown members beside the known."""
    match shape.type_name:
        case "structure":
            members = {name: fitting(member) for name, member in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            known = st.fixed_dictionaries(required, optional=members)
            value: Any = known | st.builds(lambda one, name: {**one, name: 1}, known, st.text(max_size=2))
        case "list":
            value = st.lists(fitting(shape.member), max_size=3) | st.tuples(fitting(shape.member))
        case "map":
            value = st.dictionaries(st.text(max_size=3), fitting(shape.value), max_size=2)
        case "integer" | "long":
            value = st.integers(-1, 30) | st.integers() | st.booleans()
        case "boolean":
            value = st.booleans()
        case "timestamp":
            value = TIMES
        case "blob":
            value = st.binary(max_size=5) | st.text(max_size=5) | st.builds(bytearray, st.binary(max_size=5))
        case _:
            value = st.text(max_size=5) | st.sampled_from([*getattr(shape, "enum", []), "orders"])
    return st.one_of(value, value, value, value, ANYTHING)


def arrived(shape: Shape, value: Any) -> Any:
    """What a server makes of the JSON that botocore sends."""
    match shape.type_name:
        case "structure":
            return {name: arrived(shape.members[name], member) for name, member in value.items()}
        case "list":
            return [arrived(shape.member, member) for member in value]
        case "blob":
            return b64decode(value)
        case _:
            return value


@pytest.mark.parametrize("operation", sorted(service_model().operation_names))
def test_parameters_are_refused_and_sent_as_botocore_does(operation: str) -> None:
    """What botocore refuses is refused with its report or its own error; the rest arrives as over HTTP."""
    model = operation_model(operation)
    shape = model.input_shape
    assert shape is not None
    serializer = create_serializer("json", include_validation=False)

    # The operations share their kinds of members: together they are tried some three thousand times.
    @settings(max_examples=50, deadline=None)
    @given(fitting(shape))
    def compared(parameters: Any) -> None:
        try:
            report = ParamValidator().validate(parameters, shape).generate_report()
        except RuntimeError as no_calendar_holds_it:
            with pytest.raises(RuntimeError, match=re.escape(str(no_calendar_holds_it))):
                as_sent(operation, parameters)
            return
        if report:
            with pytest.raises(ParamValidationError) as refused:
                as_sent(operation, parameters)
            assert report in str(refused.value)
        else:
            sent = json.loads(serializer.serialize_to_request(parameters, model)["body"])
            assert as_sent(operation, parameters) == arrived(shape, sent)

    compared()
