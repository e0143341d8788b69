"""The compatibility checker, proved by planted changes: it sees the breaking ones and lets growth pass."""

import copy
from collections.abc import Callable
from typing import Any, ClassVar, Literal

import msgspec
import pytest

from orderstream_orders.catalogue import breaking_changes, schema_of
from orderstream_orders.contracts import Event

Schema = dict[str, Any]


class Leg(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of the way."""

    port: str
    days: int | None = None


class Sailed(Event, frozen=True, kw_only=True):
    """The committed version."""

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ()

    ship: str
    tons: int
    flag: Literal["red", "white"]
    legs: tuple[Leg, ...]
    note: str | None = None
    insured: bool = False


def sailed(schema: Schema) -> Schema:
    part: Schema = schema["$defs"]["Sailed"]
    return part


def leg(schema: Schema) -> Schema:
    part: Schema = schema["$defs"]["Leg"]
    return part


def remove_required_field(schema: Schema) -> None:
    del sailed(schema)["properties"]["tons"]
    sailed(schema)["required"].remove("tons")


def remove_optional_field(schema: Schema) -> None:
    del sailed(schema)["properties"]["note"]


def add_required_field(schema: Schema) -> None:
    sailed(schema)["properties"]["captain"] = {"type": "string"}
    sailed(schema)["required"].append("captain")


def rename_field(schema: Schema) -> None:
    sailed(schema)["properties"]["vessel"] = sailed(schema)["properties"].pop("ship")
    sailed(schema)["required"].remove("ship")
    sailed(schema)["required"].append("vessel")


def require_optional_field(schema: Schema) -> None:
    sailed(schema)["required"].append("note")


def free_required_field(schema: Schema) -> None:
    sailed(schema)["required"].remove("ship")


def change_type(schema: Schema) -> None:
    sailed(schema)["properties"]["tons"]["type"] = "string"


def allow_null(schema: Schema) -> None:
    sailed(schema)["properties"]["ship"] = {"anyOf": [{"type": "string"}, {"type": "null"}]}


def forbid_null(schema: Schema) -> None:
    sailed(schema)["properties"]["note"] = {"type": "string", "default": None}


def add_enum_value(schema: Schema) -> None:
    sailed(schema)["properties"]["flag"]["enum"].append("blue")


def remove_enum_value(schema: Schema) -> None:
    sailed(schema)["properties"]["flag"]["enum"].remove("red")


def change_default(schema: Schema) -> None:
    sailed(schema)["properties"]["insured"]["default"] = True


def change_branch_type(schema: Schema) -> None:
    sailed(schema)["properties"]["note"]["anyOf"][0]["type"] = "integer"


def change_items(schema: Schema) -> None:
    sailed(schema)["properties"]["legs"]["items"] = {"type": "string"}


def free_items(schema: Schema) -> None:
    del sailed(schema)["properties"]["legs"]["items"]


def require_in_part(schema: Schema) -> None:
    leg(schema)["required"].append("days")


def remove_from_part(schema: Schema) -> None:
    del leg(schema)["properties"]["port"]
    leg(schema)["required"].remove("port")


def grow(schema: Schema) -> None:
    sailed(schema)["properties"]["captain"] = {"type": "string", "default": ""}
    leg(schema)["properties"]["pilot"] = {"anyOf": [{"type": "string"}, {"type": "null"}], "default": None}


def describe(schema: Schema) -> None:
    sailed(schema)["description"] = "Better words."
    sailed(schema)["properties"]["ship"]["description"] = "Her name."


def reorder(schema: Schema) -> None:
    sailed(schema)["properties"] = dict(reversed(sailed(schema)["properties"].items()))
    sailed(schema)["required"].reverse()


def move_part(schema: Schema) -> None:
    schema["$defs"]["Stretch"] = schema["$defs"].pop("Leg")
    sailed(schema)["properties"]["legs"]["items"]["$ref"] = "#/$defs/Stretch"


def changed(change: Callable[[Schema], None]) -> list[str]:
    current = copy.deepcopy(schema_of(Sailed))
    change(current)
    return breaking_changes(schema_of(Sailed), current)


@pytest.mark.parametrize(
    ("change", "path"),
    [
        (remove_required_field, "data.tons: removed"),
        (remove_optional_field, "data.note: removed"),
        (add_required_field, "data.captain: required now"),
        (rename_field, "data.ship: removed"),
        (require_optional_field, "data.note: required now"),
        (free_required_field, "data.ship: no longer required"),
        (change_type, "data.tons: type changed from 'integer' to 'string'"),
        (allow_null, "data.ship: takes string or null where it took string"),
        (forbid_null, "data.note: takes string where it took string or null"),
        (add_enum_value, "data.flag: enum changed"),
        (remove_enum_value, "data.flag: enum changed"),
        (change_default, "data.insured: default changed from False to True"),
        (change_branch_type, "data.note: type changed"),
        (change_items, "data.legs[]: type changed"),
        (free_items, "data.legs[]: items"),
        (require_in_part, "data.legs[].days: required now"),
        (remove_from_part, "data.legs[].port: removed"),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
def test_a_planted_breaking_change_is_found(change: Callable[[Schema], None], path: str) -> None:
    """Whatever old data or an old reader could not live with is named, with the path to it."""
    findings = changed(change)
    assert any(finding.startswith(path) for finding in findings), findings


@pytest.mark.parametrize("change", [grow, describe, reorder, move_part], ids=lambda value: value.__name__)
def test_growth_and_better_words_pass(change: Callable[[Schema], None]) -> None:
    """Optional fields at any depth, descriptions, the order of fields, names of parts: all may change."""
    assert changed(change) == []


def test_a_schema_is_compatible_with_itself() -> None:
    """No change, no finding."""
    assert breaking_changes(schema_of(Sailed), schema_of(Sailed)) == []
