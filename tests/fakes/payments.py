"""A payment provider, a clock, and commands, for tests of payments."""

import datetime as dt
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from fakes.messages import envelope_of
from orderstream.errors import DependencyError
from orderstream.messages import Envelope, Message, decode_envelope
from orderstream_consumer.idempotency import Received
from orderstream_consumer.limits import Permits
from orderstream_consumer.processing.record import Position
from orderstream_orders.contracts import CapturePayment, RefundPayment
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider import (
    Charged,
    Declined,
    ProviderThrottledError,
    ProviderUnavailableError,
    Refunded,
)

NOW = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)


class CrashedError(BaseException):
    """The process is gone; no handler of ours may catch it."""


@dataclass
class TickingClock:
    """A clock that is moved by hand."""

    seconds: float = 0.0

    def __call__(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass
class LedgerProvider:
    """Keeps a ledger as a real provider does: a row per key, whatever happens to the reply.

    Args:
        declines: Orders whose card is declined.
        fault: Asked before each request: ``"before"`` fails it, ``"after"`` loses its reply, ``"throttle"``
            is a 429, ``"crash"`` kills the worker after it was carried out.
    """

    declines: frozenset[str] = frozenset()
    fault: Callable[[str], str | None] = lambda _: None
    charges: dict[str, Charge] = field(default_factory=dict)
    refunds: dict[str, Refund] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def charge(self, request: Charge) -> Charged | Declined:
        fault = self._ask(request.key)
        if request.order_id not in self.declines:
            assert self.charges.setdefault(request.key, request) == request
        self._lose(fault)
        if request.order_id in self.declines:
            return Declined("card_declined")
        return Charged("ch_" + hashlib.sha256(request.key.encode()).hexdigest()[:8])

    def refund(self, request: Refund) -> Refunded:
        fault = self._ask(request.key)
        assert any(charge.order_id == request.order_id for charge in self.charges.values())
        assert self.refunds.setdefault(request.key, request) == request
        self._lose(fault)
        return Refunded("re_" + hashlib.sha256(request.key.encode()).hexdigest()[:8])

    def net(self, order_id: str) -> int:
        """What the customer has paid in the end."""
        taken = sum(each.amount_minor for each in self.charges.values() if each.order_id == order_id)
        given = sum(each.amount_minor for each in self.refunds.values() if each.order_id == order_id)
        return taken - given

    def _ask(self, key: str) -> str | None:
        # The key travels in a header: visible ASCII, or no provider would ever see the request.
        assert key.isascii(), key
        assert key.isprintable(), key
        self.asked.append(key)
        fault = self.fault(key)
        if fault == "before":
            raise ProviderUnavailableError("charges", "ConnectError")
        if fault == "throttle":
            raise ProviderThrottledError("charges", "429", 1.0)
        return fault

    def _lose(self, fault: str | None) -> None:
        if fault == "after":
            raise ProviderUnavailableError("charges", "ReadTimeout")
        if fault == "crash":
            raise CrashedError


@dataclass
class Outbox:
    """A publisher whose acknowledgement can be lost, or whose process can die.

    Args:
        fault: Asked before each publication: ``"before"``, ``"after"`` or ``"crash"``.
    """

    fault: Callable[[str], str | None] = lambda _: None
    published: list[bytes] = field(default_factory=list)

    def publish(self, envelopes: Sequence[bytes], partition_key: str) -> None:
        fault = self.fault(partition_key) if envelopes else None
        if fault == "before":
            raise DependencyError("kinesis", "PutRecords", "on demand")
        self.published.extend(envelopes)
        if fault == "after":
            raise DependencyError("kinesis", "PutRecords", "the acknowledgement was lost on demand")
        if fault == "crash":
            raise CrashedError

    def messages(self, order_id: str = "o-1") -> list[Message]:
        """What was published for an order, first occurrences only, in order."""
        first = {envelope.id: envelope for envelope in self.envelopes() if envelope.subject == order_id}
        return [envelope.message() for envelope in first.values()]

    def envelopes(self) -> list[Envelope]:
        return [decode_envelope(each) for each in self.published]


class AmplePermits:
    """A limiter that never limits."""

    def take(self, wanted: int) -> Permits:
        return Permits(wanted, 0.0)


def capture_command(order_id: str = "o-1", not_after: dt.datetime | None = None) -> CapturePayment:
    later = not_after or NOW + dt.timedelta(minutes=10)
    return CapturePayment(order_id=order_id, amount_minor=1230, currency="GBP", not_after=later)


def refund_command(order_id: str = "o-1") -> RefundPayment:
    return RefundPayment(order_id=order_id)


def received(message: Message, position: int = 1, event_id: str | None = None) -> Received:
    """A delivery of a command; without an id it is the order's one command of its type."""
    envelope = envelope_of(
        message,
        source="saga",
        event_id=event_id or f"{message.order_id}/{message.type_name()}",
        time=NOW,
        correlation_id="payment:1",
        conversation_id="c-1",
    )
    return Received(envelope, "shard-0", Position(position), NOW)
