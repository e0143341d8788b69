"""The parameters of a call in the process: refused where botocore refuses them, else as they would arrive.

botocore's own validator takes milliseconds for a PutRecords of 500 records. So a check is made of the service
model once for each operation, and in doubt botocore's validator has the word, and writes the report.
"""

import calendar
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from botocore.exceptions import ParamValidationError
from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape
from botocore.utils import parse_to_aware_datetime
from botocore.validate import ParamValidator

from orderstream.testing.validation.model import service_model

_Convert = Callable[[Any], Any]

_SCALARS: Final[dict[str, type[int]]] = {"integer": int, "long": int, "boolean": bool}


class _DoubtError(Exception):
    """A value that botocore refuses."""


def as_sent(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
    """A call's parameters as they would arrive: payloads as bytes, times as seconds since the epoch.

    Args:
        operation: The operation's API name.
        parameters: What the caller gave.

    Raises:
        ParamValidationError: botocore would not send it.
    """
    try:
        converted: dict[str, Any] = _converters()[operation](parameters)
    except _DoubtError:
        shape = service_model().operation_model(operation).input_shape
        assert shape is not None, "what has a converter has a shape"
        report = ParamValidator().validate(parameters, shape).generate_report()
        raise ParamValidationError(report=report) from None
    return converted


@cache
def _converters() -> dict[str, _Convert]:
    model = service_model()
    return {
        name: _converter_of(shape)
        for name in model.operation_names
        if (shape := model.operation_model(name).input_shape) is not None
    }


def _converter_of(shape: Shape) -> _Convert:
    least = shape.metadata.get("min", 0)
    match shape:
        case StructureShape():
            members = {name: _converter_of(member) for name, member in shape.members.items()}
            return _structure(members, tuple(shape.required_members))
        case ListShape():
            return _list(_converter_of(shape.member), least)
        case MapShape():
            return _map(_converter_of(shape.key), _converter_of(shape.value))
        case StringShape():
            return _string(least)
        case Shape(type_name="blob"):
            return _blob
        case Shape(type_name="timestamp"):
            return _timestamp
        case _:
            return _scalar(_SCALARS[shape.type_name], shape.metadata.get("min"))


def _structure(members: dict[str, _Convert], required: tuple[str, ...]) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _DoubtError
        for name in required:
            if name not in value:
                raise _DoubtError
        try:
            return {name: members[name](member) for name, member in value.items()}
        except KeyError:
            raise _DoubtError from None

    return convert


def _list(convert_member: _Convert, least: int) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, list | tuple) or len(value) < least:
            raise _DoubtError
        return [convert_member(member) for member in value]

    return convert


def _map(convert_key: _Convert, convert_value: _Convert) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, dict):
            raise _DoubtError
        return {convert_key(key): convert_value(member) for key, member in value.items()}

    return convert


def _string(least: int) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, str) or len(value) < least:
            raise _DoubtError
        return value

    return convert


def _scalar(kind: type[int], least: int | None) -> _Convert:
    def convert(value: Any) -> Any:
        if not isinstance(value, kind) or (least is not None and value < least):
            raise _DoubtError
        return value

    return convert


def _blob(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, bytearray):
        return bytes(value)
    raise _DoubtError


def _timestamp(value: Any) -> float:
    try:
        time = parse_to_aware_datetime(value)
        whole = calendar.timegm(time.timetuple())
    except (TypeError, ValueError, AttributeError):
        raise _DoubtError from None
    return (whole * 10**6 + time.microsecond) / 10**6 if time.microsecond else whole
