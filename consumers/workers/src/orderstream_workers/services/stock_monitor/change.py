"""One change of a stock item, read from the record that change data capture puts into Kinesis. Pure.

The record is JSON as AWS writes it for "Kinesis Data Streams for DynamoDB"; images are in DynamoDB's JSON,
``{"available": {"N": "96"}}``. AWS puts each under a random partition key and promises neither order nor
uniqueness (Amazon DynamoDB Developer Guide, "Using Kinesis Data Streams to capture changes to DynamoDB").
"""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Final, Literal

import msgspec

from orderstream.errors import OrderstreamError
from orderstream.messages import NotAnEventError, decode_envelope
from orderstream.messages.envelope import MAX_ATTRIBUTE
from orderstream_orders.contracts import order_of

_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_UNITS: Final = {"MILLISECOND": dt.timedelta(milliseconds=1), "MICROSECOND": dt.timedelta(microseconds=1)}
_LARGEST: Final = 2**63 - 1

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_ATTRIBUTE, pattern=r"^[^\x00]*$")]


class NotAStockChangeError(OrderstreamError):
    """A record of the change stream cannot be read as a change of a stock item.

    Args:
        reason: Why not.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"no change of a stock item: {reason}; see which table feeds the stream, and what wrote the item"
        )


@dataclass(frozen=True, slots=True)
class StockChange:
    """What one write has done to the available units of a SKU.

    Attributes:
        change_id: AWS's id of the change: the same in each copy of its record, and in no other change's.
        sku: Stock keeping unit.
        before: Available units before the write; None where the item was not there.
        after: Available units after the write; None where the item has gone.
        at: About when the item was written (UTC).
        event: The encoded event of an operator's adjustment, which the write has left in the item; None if it
            left none.
    """

    change_id: str
    sku: str
    before: int | None
    after: int | None
    at: dt.datetime
    event: bytes | None = None


class _Key(msgspec.Struct, frozen=True, rename={"text": "S"}):
    text: _Text


class _Keys(msgspec.Struct, frozen=True):
    pk: _Key


class _Number(msgspec.Struct, frozen=True, rename={"digits": "N"}):
    digits: str


class _Kept(msgspec.Struct, frozen=True, rename={"text": "S"}):
    text: str


class _Image(msgspec.Struct, frozen=True):
    available: _Number
    # Every later write of the item has it too: it is looked into where it is new.
    event: msgspec.Raw = msgspec.Raw()


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="pascal"):
    approximate_creation_date_time: int
    # Records from before the precision could be chosen do not name it.
    approximate_creation_date_time_precision: Literal["MILLISECOND", "MICROSECOND"] = "MILLISECOND"
    keys: _Keys
    new_image: _Image | None = None
    old_image: _Image | None = None


class _ChangeRecord(msgspec.Struct, frozen=True, kw_only=True, rename={"event_id": "eventID"}):
    event_id: _Text
    dynamodb: _Body


_DECODER: Final = msgspec.json.Decoder(_ChangeRecord)


def read_change(data: bytes) -> StockChange:
    """Read one record of the change stream.

    Args:
        data: The record's payload.

    Raises:
        NotAStockChangeError: it is of another shape, or its item has no whole number of available units.
    """
    try:
        record = _DECODER.decode(data)
        body = record.dynamodb
        unit = _UNITS[body.approximate_creation_date_time_precision]
        return StockChange(
            change_id=record.event_id,
            sku=body.keys.pk.text,
            before=_units(body.old_image),
            after=_units(body.new_image),
            at=_EPOCH + body.approximate_creation_date_time * unit,
            event=_event(body),
        )
    except (msgspec.DecodeError, NotAnEventError, ArithmeticError, ValueError, RecursionError) as error:
        # Numbers that no date or decimal can hold are arithmetic errors, bytes that are no text value errors.
        raise NotAStockChangeError(str(error)) from error


def _event(body: _Body) -> bytes | None:
    """What the write has left to be published.

    Raises:
        NotAnEventError: it is no event.
        ValueError: it is about something else than the item.
    """
    left = b"" if body.new_image is None else bytes(body.new_image.event)
    if not left or (body.old_image is not None and left == bytes(body.old_image.event)):
        return None
    event = msgspec.json.decode(left, type=_Kept).text.encode()
    envelope = decode_envelope(event)
    if order_of(envelope) is not None or envelope.subject != body.keys.pk.text:
        raise ValueError(f"its event, {envelope.type} of {envelope.subject!r}, is not about the item")
    return event


def _units(image: _Image | None) -> int | None:
    if image is None:
        return None
    number = Decimal(image.available.digits)
    if not number.is_finite() or abs(number) > _LARGEST or number != number.to_integral_value():
        raise ValueError(f"{image.available.digits[:40]!r} is no whole number of units")
    return int(number)
