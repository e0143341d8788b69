"""The JSON types of a request that came over HTTP, by botocore's service model."""

from collections.abc import Callable
from functools import cache
from math import isfinite
from typing import Any, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from orderstream.testing.errors import KinesisError, validation
from orderstream.testing.validation.model import input_shapes

_Check = Callable[[Any, str], None]

_SCALARS: Final[dict[str, tuple[str, tuple[type, ...]]]] = {
    "string": ("String", (str,)),
    "blob": ("Blob", (str,)),
    "integer": ("Integer", (int,)),
    "long": ("Long", (int,)),
    "boolean": ("Boolean", (bool,)),
    "timestamp": ("Timestamp", (int, float)),
}
_FOUND: Final[dict[type, str]] = {
    str: "STRING_VALUE",
    int: "NUMBER_VALUE",
    float: "DECIMAL_VALUE",
    list: "START_ARRAY",
    dict: "START_OBJECT",
}


def check_types(operation: str, request: dict[str, Any]) -> None:
    """Refuse a request whose members have other JSON types than in the model; drop null ones.

    Unknown operations and unknown members pass: other checks refuse them, or ignore them as AWS does.

    Args:
        operation: The operation's API name.
        request: The request as decoded from JSON, payloads still in base64. Null members are removed from it.

    Raises:
        KinesisError: SerializationException, or ValidationException for a null inside a list.
    """
    check = _checks().get(operation)
    if check is not None:
        check(request, "")


@cache
def _checks() -> dict[str, _Check]:
    """A check for the input of every operation, made once: a request may have hundreds of records."""
    return {name: _check_of(shape) for name, shape in input_shapes().items()}


def _check_of(shape: Shape) -> _Check:
    match shape:
        case StructureShape():
            return _structure({name: _check_of(member) for name, member in shape.members.items()})
        case ListShape():
            return _list(_check_of(shape.member))
        case MapShape():
            return _map(_check_of(shape.value))
        case _:
            return _scalar(*_SCALARS[shape.type_name])


def _scalar(name: str, types: tuple[type, ...]) -> _Check:
    def check(value: Any, _: str) -> None:
        # By exact type: JSON's true is no number.
        if type(value) not in types:
            raise _inconvertible(value, name)
        if type(value) is float and not isfinite(value):
            raise KinesisError("SerializationException", f"{value} cannot be converted to {name}")

    return check


def _structure(members: dict[str, _Check]) -> _Check:
    def check(value: Any, where: str) -> None:
        if type(value) is not dict:
            raise _inconvertible(value, "Object")
        for name in [name for name, member in value.items() if member is None]:
            del value[name]
        for name, member in value.items():
            if name in members:
                members[name](member, f"{where}{name[0].lower()}{name[1:]}.")

    return check


def _list(check_member: _Check) -> _Check:
    def check(value: Any, where: str) -> None:
        if type(value) is not list:
            raise _inconvertible(value, "List")
        for number, member in enumerate(value, start=1):
            if member is None:
                raise validation(f"{where}{number}.member", None, "not be null")
            check_member(member, f"{where}{number}.member.")

    return check


def _map(check_value: _Check) -> _Check:
    def check(value: Any, where: str) -> None:
        if type(value) is not dict:
            raise _inconvertible(value, "Map")
        for name, member in value.items():
            if member is None:
                raise validation(f"{where}{name}.member", None, "not be null")
            check_value(member, where)

    return check


def _inconvertible(value: Any, name: str) -> KinesisError:
    found = f"{value}_VALUE".upper() if isinstance(value, bool) else _FOUND[type(value)]
    return KinesisError("SerializationException", f"{found} cannot be converted to {name}")
