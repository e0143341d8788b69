"""Validation of requests beyond types: members, lengths, ranges, patterns, by the service model."""

import re
from collections.abc import Callable
from functools import cache
from typing import Any, Final, NamedTuple

from botocore.model import ListShape, MapShape, Shape, StringShape, StructureShape

from orderstream.testing.errors import validations
from orderstream.testing.validation.model import input_shapes


class Violation(NamedTuple):
    """One constraint that does not hold.

    Attributes:
        member: Where, e.g. ``"records.1.member.partitionKey"``.
        value: The member's value.
        constraint: What it must be, e.g. ``"not be null"``.
    """

    member: str
    value: object
    constraint: str


_Check = Callable[[Any], tuple[Violation, ...]]
_FINE: Final[tuple[Violation, ...]] = ()


def demand(operation: str, request: dict[str, Any]) -> None:
    """Hold a request against the constraints of the service model.

    Args:
        operation: The operation's API name.
        request: The request, its members of the types that the model says.

    Raises:
        KinesisError: ValidationException, which names each member and constraint.
    """
    found = _checks()[operation](request)
    if found:
        raise validations(found)


@cache
def _checks() -> dict[str, _Check]:
    """A check for every operation, made once: a request may have hundreds of records."""
    return {name: _check_of(shape) for name, shape in input_shapes().items()}


def _check_of(shape: Shape) -> _Check:
    least, most = shape.metadata.get("min"), shape.metadata.get("max")
    match shape:
        case StructureShape():
            members = {
                name: check for name, one in shape.members.items() if (check := _check_of(one)) is not _none
            }
            return _structure(members, tuple(shape.required_members))
        case ListShape():
            return _list(_check_of(shape.member), least or 0, most)
        case MapShape():
            return _map(_check_of(shape.key), _check_of(shape.value), least or 0, most)
        case StringShape():
            return _string(least or 0, most, shape.metadata.get("pattern"), tuple(shape.enum))
        case Shape(type_name="blob") if most is not None:
            return _blob(most)
        case Shape(type_name="integer" | "long") if (least, most) != (None, None):
            return _integer(least, most)
        case _:
            return _none


def _none(_: Any) -> tuple[Violation, ...]:
    return _FINE


def _structure(members: dict[str, _Check], required: tuple[str, ...]) -> _Check:
    reported = {name: name[0].lower() + name[1:] for name in (*members, *required)}

    def check(value: Any) -> tuple[Violation, ...]:
        violations = _FINE
        for name in required:
            if name not in value:
                violations += (Violation(reported[name], None, "not be null"),)
        for name, member in value.items():
            check_member = members.get(name)
            if check_member is not None and (found := check_member(member)):
                violations += _inside(reported[name], found)
        return violations

    return check


def _list(check_member: _Check, least: int, most: int | None) -> _Check:
    def check(value: Any) -> tuple[Violation, ...]:
        violations = _length(value, f"[{len(value)} members]", least, most)
        if check_member is not _none:
            for number, member in enumerate(value, start=1):
                if found := check_member(member):
                    violations += _inside(f"{number}.member", found)
        return violations

    return check


def _map(check_key: _Check, check_value: _Check, least: int, most: int | None) -> _Check:
    def check(value: Any) -> tuple[Violation, ...]:
        violations = _length(value, f"[{len(value)} entries]", least, most)
        for key, member in value.items():
            violations += check_key(key) + _inside(f"{key}.member", check_value(member))
        return violations

    return check


def _string(least: int, most: int | None, pattern: str | None, allowed: tuple[str, ...]) -> _Check:
    matches = re.compile(pattern, re.ASCII).fullmatch if pattern else None
    if matches is None and not allowed and not least and most is None:
        return _none

    def check(value: Any) -> tuple[Violation, ...]:
        if allowed and value not in allowed:
            return (Violation("", value, f"satisfy enum value set: [{', '.join(allowed)}]"),)
        violations = _length(value, value, least, most)
        if matches is not None and matches(value) is None:
            violations += (Violation("", value, f"satisfy regular expression pattern: {pattern}"),)
        return violations

    return check


def _blob(most: int) -> _Check:
    def check(value: Any) -> tuple[Violation, ...]:
        return _length(value, f"[{len(value)} bytes]", 0, most) if len(value) > most else _FINE

    return check


def _integer(least: int | None, most: int | None) -> _Check:
    def check(value: Any) -> tuple[Violation, ...]:
        if least is not None and value < least:
            return (Violation("", value, f"have value greater than or equal to {least}"),)
        if most is not None and value > most:
            return (Violation("", value, f"have value less than or equal to {most}"),)
        return _FINE

    return check


def _length(value: Any, shown: object, least: int, most: int | None) -> tuple[Violation, ...]:
    length = len(value)
    if length < least:
        return (Violation("", shown, f"have length greater than or equal to {least}"),)
    if most is not None and length > most:
        return (Violation("", shown, f"have length less than or equal to {most}"),)
    return _FINE


def _inside(where: str, violations: tuple[Violation, ...]) -> tuple[Violation, ...]:
    return tuple(
        Violation(f"{where}.{member}" if member else where, value, constraint)
        for member, value, constraint in violations
    )
