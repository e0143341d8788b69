"""Reading data by type and version: upcasting, and what cannot be read."""

import json
from typing import Any, ClassVar

import pytest

from orderstream.messages import (
    REGISTRY,
    NotAnEventError,
    Registry,
    UnknownMessageTypeError,
    UnsupportedSchemaVersionError,
)
from orderstream_orders.contracts import MESSAGE_TYPES, Event, StockRejected


class ParcelWeighed(Event, frozen=True, kw_only=True):
    """An event in its third version.

    Attributes:
        grams: Version 1 said ``pounds``, version 2 ``kilograms``.
        scale: New in version 3.
    """

    owner: ClassVar[str] = "shipping"
    consumers: ClassVar[tuple[str, ...]] = ()
    schema_version: ClassVar[int] = 3

    grams: int
    scale: str


def to_kilograms(fields: dict[str, Any]) -> dict[str, Any]:
    pounds = fields.pop("pounds")
    return {**fields, "kilograms": pounds / 2}


def to_grams(fields: dict[str, Any]) -> dict[str, Any]:
    kilograms = fields.pop("kilograms")
    return {**fields, "grams": int(kilograms * 1000), "scale": "unknown"}


PARCELS = Registry((ParcelWeighed,), {("ParcelWeighed", 1): to_kilograms, ("ParcelWeighed", 2): to_grams})


def schema(version: object) -> str:
    return f"urn:orderstream:schema:ParcelWeighed:{version}"


@pytest.mark.parametrize(
    ("version", "fields"),
    [
        (1, {"order_id": "o-1", "pounds": 4}),
        (2, {"order_id": "o-1", "kilograms": 2}),
        (3, {"order_id": "o-1", "grams": 2000, "scale": "unknown"}),
    ],
)
def test_every_older_version_is_lifted_step_by_step(version: int, fields: dict[str, Any]) -> None:
    """Whatever version data was written in, it is read as the newest."""
    decoded = PARCELS.decode("ParcelWeighed", schema(version), json.dumps(fields).encode())
    assert decoded == ParcelWeighed(order_id="o-1", grams=2000, scale="unknown")


def test_a_newer_version_is_not_guessed_at() -> None:
    """Data of a version that is not known yet is refused, and the error says up to which one is."""
    with pytest.raises(UnsupportedSchemaVersionError, match="up to version 3"):
        PARCELS.decode("ParcelWeighed", schema(4), b"{}")


@pytest.mark.parametrize("version", ["", "x", "-1", "1.5", "0"])
def test_a_version_that_is_none_is_refused(version: str) -> None:
    """Versions are the numbers from 1."""
    with pytest.raises(UnsupportedSchemaVersionError):
        PARCELS.decode("ParcelWeighed", schema(version), b"{}")


def test_a_schema_of_another_type_is_refused() -> None:
    """Type and schema have to agree."""
    with pytest.raises(UnsupportedSchemaVersionError):
        PARCELS.decode("ParcelWeighed", "urn:orderstream:schema:StockReserved:3", b"{}")


def test_a_version_without_an_upcaster_is_refused() -> None:
    """A gap in the chain is an error, not a guess."""
    with pytest.raises(UnsupportedSchemaVersionError):
        Registry((ParcelWeighed,)).decode("ParcelWeighed", schema(2), b"{}")


@pytest.mark.parametrize("version", [1, 2, 3])
@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"\xff"], ids=["empty", "cut", "list", "not text"])
def test_broken_data_is_no_event_in_any_version(version: int, data: bytes) -> None:
    """Data that is no JSON object raises the typed error, whether it is upcast or not."""
    with pytest.raises(NotAnEventError):
        PARCELS.decode("ParcelWeighed", schema(version), data)


def test_data_that_does_not_fit_its_type_is_refused() -> None:
    """A missing required field is named in the error."""
    with pytest.raises(NotAnEventError, match="reason"):
        REGISTRY.decode("StockRejected", StockRejected.schema_uri(), b'{"order_id": "o-1"}')


def test_an_unknown_type_is_told_apart() -> None:
    """Services skip types they do not know, so that error is one of its own."""
    with pytest.raises(UnknownMessageTypeError) as caught:
        REGISTRY.decode("OrderFramed", "urn:orderstream:schema:OrderFramed:1", b"{}")
    assert caught.value.message_type == "OrderFramed"


def test_type_names_are_unique() -> None:
    """No two messages share a type name."""
    assert len({message_type.type_name() for message_type in MESSAGE_TYPES}) == len(MESSAGE_TYPES)
