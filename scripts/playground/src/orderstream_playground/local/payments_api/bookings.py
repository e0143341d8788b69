"""The provider's rules: who is declined, what can be given back, and one response per key forever."""

import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Annotated, TypeAlias

import msgspec

from orderstream_playground.local.payments_api.ledger import Entry, Ledger, StoredResponse

_Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_Amount: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
_Currency: TypeAlias = Annotated[str, msgspec.Meta(pattern="^[A-Z]{3}$")]


class ChargeRequest(msgspec.Struct, frozen=True, kw_only=True, tag="charge"):
    """Take money for an order.

    Attributes:
        order_id: The order.
        amount_minor: Minor units, at least 1.
        currency: ISO 4217 code.
    """

    order_id: _Text
    amount_minor: _Amount
    currency: _Currency


class RefundRequest(msgspec.Struct, frozen=True, kw_only=True, tag="refund"):
    """Give money back.

    Attributes:
        order_id: The order.
        charge_id: The charge.
        amount_minor: Minor units, at least 1 and at most what is left of the charge.
        currency: The charge's.
    """

    order_id: _Text
    charge_id: _Text
    amount_minor: _Amount
    currency: _Currency


def is_declined(seed: int, order_id: str, percent: int) -> bool:
    """Whether an order's card is declined: the same forever, so that a run can be foretold.

    Args:
        seed: Chooses which orders.
        order_id: The order.
        percent: About how many of a hundred, 0 to 100.
    """
    return int(hashlib.sha256(f"{seed}/{order_id}".encode()).hexdigest()[:8], 16) % 100 < percent


class Bookings:
    """Carries requests out, each idempotency key once. For one thread at a time.

    Args:
        ledger: The books.
        seed: Chooses which orders' cards are declined.
        decline_percent: About how many of a hundred are, 0 to 100.
        clock: The time (UTC, with zone).
    """

    def __init__(
        self, ledger: Ledger, *, seed: int, decline_percent: int, clock: Callable[[], dt.datetime]
    ) -> None:
        self._ledger = ledger
        self._seed = seed
        self._percent = decline_percent
        self._clock = clock

    def charge(self, key: str, request: ChargeRequest, forced_decline: Callable[[], bool]) -> StoredResponse:
        """Charge, or repeat the response that the key has got.

        Args:
            key: The idempotency key.
            request: What to charge.
            forced_decline: Asked for a new key only: whether it is declined whatever the card says.
        """
        digest = _digest(request)
        known = self._known(key, digest)
        if known is not None:
            return known
        if forced_decline() or is_declined(self._seed, request.order_id, self._percent):
            declined = refusal(402, "card_declined", digest)
            self._ledger.record(key, declined)
            return declined
        charge_id = _reference("ch", key)
        charged = StoredResponse(201, msgspec.json.encode({"charge_id": charge_id}), digest)
        self._ledger.record(key, charged, self._entry(key, request, charge_id, charge_id))
        return charged

    def refund(self, key: str, request: RefundRequest) -> StoredResponse:
        """Give back, or repeat the response that the key has got; a refusal is not remembered.

        Args:
            key: The idempotency key.
            request: What to give back.
        """
        digest = _digest(request)
        known = self._known(key, digest)
        if known is not None:
            return known
        left = self._ledger.balance(request.charge_id, request.order_id, request.currency)
        if left is None:
            return refusal(404, "unknown_charge", digest)
        if request.amount_minor > left:
            return refusal(422, "more_than_charged", digest)
        refund_id = _reference("re", key)
        refunded = StoredResponse(201, msgspec.json.encode({"refund_id": refund_id}), digest)
        self._ledger.record(key, refunded, self._entry(key, request, refund_id, request.charge_id))
        return refunded

    def _known(self, key: str, digest: str) -> StoredResponse | None:
        known = self._ledger.response(key)
        if known is None or known.digest == digest:
            return known
        return refusal(422, "idempotency_key_reused", digest)

    def _entry(
        self, key: str, request: ChargeRequest | RefundRequest, reference: str, charge_id: str
    ) -> Entry:
        return Entry(
            order_id=request.order_id,
            kind="charge" if isinstance(request, ChargeRequest) else "refund",
            reference=reference,
            charge_id=charge_id,
            amount_minor=request.amount_minor,
            currency=request.currency,
            idempotency_key=key,
            at=self._clock(),
        )


def refusal(status: int, code: str, digest: str = "") -> StoredResponse:
    """A response that moves no money.

    Args:
        status: HTTP status.
        code: What a program reads.
        digest: Digest of the request.
    """
    return StoredResponse(status, msgspec.json.encode({"code": code}), digest)


def _digest(request: ChargeRequest | RefundRequest) -> str:
    return hashlib.sha256(msgspec.json.encode(request)).hexdigest()


def _reference(prefix: str, key: str) -> str:
    return f"{prefix}_{hashlib.sha256(key.encode()).hexdigest()[:24]}"
