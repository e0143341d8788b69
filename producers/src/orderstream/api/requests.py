"""What the API accepts as a body, and what it says when it does not."""

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Final

import msgspec

MAX_LINES: Final = 2_000
"""Most lines of one order: its state must fit into one item of every service."""
MAX_BODY_BYTES: Final = 512 * 1024
"""Largest body, in bytes: half of what one Kinesis record holds by default."""
MAX_QUANTITY: Final = 1_000_000_000
MAX_CODE_LENGTH: Final = 200

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_CODE_LENGTH)]
_Text = Annotated[str, msgspec.Meta(max_length=1_000)]
_Quantity = Annotated[int, msgspec.Meta(ge=-MAX_QUANTITY, le=MAX_QUANTITY)]
_Currency = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]

_LINE_IN_PATH: Final = re.compile(r"\$\.lines\[(\d+)\]")
_FIELD_IN_PATH: Final = re.compile(r"\$\.?([\w.\[\]]*)`")
_MISSING_FIELD: Final = re.compile(r"required field `(\w+)`")


class CustomerRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Who orders; both parts may be missing."""

    customer_id: _Code | None = None
    email: _Code | None = None


class LineRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line, as the customer's application sends it."""

    sku: _Code
    quantity: _Quantity
    unit_price: _Code
    description: _Text | None = None


class OrderRequest(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Body of ``POST /orders``. Unknown fields are ignored."""

    lines: Annotated[tuple[LineRequest, ...], msgspec.Meta(min_length=1, max_length=MAX_LINES)]
    currency: _Currency
    customer: CustomerRequest | None = None
    country: _Code | None = None

    def digest(self) -> str:
        """SHA-256 of what was asked for; white space and the order of fields make no difference."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an order is not taken. It never will be, as it stands.

    Attributes:
        code: ``"malformed"``, ``"non_positive_quantity"``, ``"negative_price"``, ``"nothing_to_pay"`` or
            ``"idempotency_conflict"``.
        message: For a person: what is wrong and what to do.
        field: The field at fault, where there is one.
        line: The line at fault, counted from 1.
        status: The HTTP status that says so.
    """

    code: str
    message: str
    field: str | None = None
    line: int | None = None
    status: int = 422


def read_request(body: bytes) -> OrderRequest | Rejection:
    """Decode a body.

    Returns:
        The request, or a rejection ``"malformed"``: 400 where it is no JSON, 422 where it does not fit.
    """
    try:
        return _DECODER.decode(body)
    except msgspec.ValidationError as error:
        return _misfit(str(error))
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Rejection("malformed", f"the body is not JSON: {error}", status=400)


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
