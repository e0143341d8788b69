"""What the API accepts as a body, and what it says when it does not."""

import re
from dataclasses import dataclass
from http import HTTPStatus
from typing import Annotated, Final

import msgspec

from orderstream.messages.identity import PATTERN_OF_IDENTIFIERS
from orderstream_orders.contracts.sku import MAX_SKU, PATTERN_OF_SKUS

MAX_LINES: Final = 2_000
"""Most lines of one order: its state must fit into one item of every service."""
JSON: Final = "application/json"
"""The media type of an order."""

MAX_BODY_BYTES: Final = 512 * 1024
"""Largest body, in bytes: half of what one Kinesis record holds by default."""
MAX_ORDER_BYTES: Final = 256 * 1024
"""Largest order as it is published, in bytes: inventory keeps its lines, a part of it, in one item of
DynamoDB, which holds 400 KB, and they go through the stream more than once."""
MAX_QUANTITY: Final = 1_000_000_000
MAX_CODE_LENGTH: Final = 200

_NO_NUL: Final = r"^[^\x00]*$"
"""No database that speaks C keeps a NUL inside a text."""

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CODE_LENGTH, pattern=_NO_NUL)]
_Sku = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_SKU, pattern=PATTERN_OF_SKUS)]
_Identifier = Annotated[
    str, msgspec.Meta(min_length=1, max_length=MAX_CODE_LENGTH, pattern=PATTERN_OF_IDENTIFIERS)
]
_Text = Annotated[str, msgspec.Meta(max_length=1_000, pattern=_NO_NUL)]
_Quantity = Annotated[int, msgspec.Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
_Currency = Annotated[str, msgspec.Meta(min_length=3, max_length=3, pattern="^[A-Z]{3}$")]

_LINE_IN_PATH: Final = re.compile(r"\$\.lines\[(\d+)\]")
_FIELD_IN_PATH: Final = re.compile(r"\$\.?([\w.\[\]]*)`")
_MISSING_FIELD: Final = re.compile(r"required field `(\w+)`")


class CustomerRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who orders; both parts may be missing.

    Attributes:
        customer_id: The shop's id of the customer.
        email: Where the outcome is sent.
    """

    customer_id: _Identifier | None = None
    email: _Code | None = None


class LineRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line, as the customer's application sends it.

    Attributes:
        sku: Stock keeping unit, or the code of a service such as postage; its case makes no difference.
            Visible characters of ASCII, and single spaces between them.
        quantity: Units; an order with a line below 1 is refused.
        unit_price: Price of one unit in major units, as a plain decimal string such as ``"2.55"``, of at most
            12 digits before and after the point. An order with a price below 0 is refused.
        description: What the shop calls it.
        service: True for a service, such as postage or a discount: it is charged, and nothing is taken from
            stock. Goods by default.
    """

    sku: _Sku
    quantity: _Quantity
    unit_price: _Code
    description: _Text | None = None
    service: bool = False


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /orders``. Unknown fields are ignored.

    Attributes:
        lines: What is ordered. The whole order may have 262,144 bytes as it is published.
        currency: ISO 4217 code of a currency that has minor units.
        customer: Who orders; a guest if it is missing.
        country: Where it is shipped to.
    """

    lines: Annotated[tuple[LineRequest, ...], msgspec.Meta(min_length=1, max_length=MAX_LINES)]
    currency: _Currency
    customer: CustomerRequest | None = None
    country: _Code | None = None


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an order is rejected. The same request will never be accepted.

    Attributes:
        code: ``"malformed"``, ``"unsupported_media_type"``, ``"non_positive_quantity"``,
            ``"negative_price"``, ``"nothing_to_pay"``, ``"idempotency_conflict"`` or ``"unknown_order"``.
        message: For a person: what is wrong and what to do.
        field: The field at fault, where there is one.
        line: The line at fault, counted from 1.
        status: The HTTP status that says so.
    """

    code: str
    message: str
    field: str | None = None
    line: int | None = None
    status: int = HTTPStatus.UNPROCESSABLE_ENTITY


def unsupported(content_type: str | None) -> Rejection | None:
    """Refuse a body that is not said to be JSON, as the document describes it.

    A guess would take whatever happens to look like an order, and what a proxy or a form made of one.

    Args:
        content_type: The header, as it came; None if there is none.

    Returns:
        The rejection, with 415; None for ``application/json``, with whatever parameters.
    """
    if content_type is not None and content_type.partition(";")[0].strip().lower() == JSON:
        return None
    said = (
        "it does not say what it is" if content_type is None else f"it is said to be {content_type[:100]!r}"
    )
    return Rejection(
        "unsupported_media_type",
        f"the body has to be JSON, and {said}: send the header Content-Type: {JSON}",
        field="Content-Type",
        status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    )


def read_request(body: bytes) -> OrderRequest | Rejection:
    """Decode a body.

    Returns:
        The request, or a rejection ``"malformed"``: 400 where it is no JSON, 422 where it does not fit.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as error:
        return _misfit(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return Rejection("malformed", f"the body is not JSON: {error}", status=HTTPStatus.BAD_REQUEST)


def _misfit(reason: str) -> Rejection:
    line = _LINE_IN_PATH.search(reason)
    path = _FIELD_IN_PATH.search(reason)
    missing = _MISSING_FIELD.search(reason)
    field = missing[1] if missing else path[1].rpartition(".")[2] if path else None
    return Rejection(
        "malformed",
        f"the body does not fit: {reason}; an order has 1 to {MAX_LINES:,} lines",
        field=field or None,
        line=int(line[1]) + 1 if line else None,
    )


_DECODER: Final = msgspec.json.Decoder(OrderRequest)
