"""Calls within the provider's limits: each has a permit and a slot, and gives its slot back exactly once."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from orderstream_consumer.limits import SharedSlots
from orderstream_workers.services.payments.counters import PaymentCounters
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.provider.protocol import (
    Charged,
    Declined,
    PaymentProvider,
    ProviderThrottledError,
    ProviderUnavailableError,
    Refunded,
)

Returned = TypeVar("Returned")


class MessagePermits:
    """The permits of one message: the one that it came with, and another for each further call.

    Args:
        slots: Where slots are given back; None if calls at the same time are not limited.
        fresh: Whether the permit that the message came with may still be used.
        another: Returns once one more permit, and its slot, is taken.
    """

    def __init__(
        self, *, slots: SharedSlots | None, fresh: Callable[[], bool], another: Callable[[], None]
    ) -> None:
        self._slots = slots
        self._fresh = fresh
        self._another = another
        self._first = True

    @contextmanager
    def call(self) -> Iterator[None]:
        """Hold a permit and a slot for one call.

        Raises:
            DependencyError: no permit can be had in time.
        """
        if not self._use_first():
            self._another()
        answered = True
        try:
            yield
        except ProviderUnavailableError as error:
            # A 429 is a response. After all others the provider may still be at work.
            answered = isinstance(error, ProviderThrottledError)
            raise
        finally:
            self._give_back(answered=answered)

    def close(self) -> None:
        """Give back what was not used."""
        if self._first:
            self._first = False
            self._give_back()

    def _use_first(self) -> bool:
        if not self._first:
            return False
        if self._fresh():
            self._first = False
            return True
        self.close()
        return False

    def _give_back(self, *, answered: bool = True) -> None:
        if self._slots is not None:
            self._slots.give_back(answered=answered)


class LimitedProvider:
    """Calls only while the slot is sure to be ours until the call is over; counts what comes back.

    Args:
        inner: The provider.
        slots: The slots; None if calls at the same time are not limited.
        counters: Count what is asked and what comes back.
    """

    def __init__(self, inner: PaymentProvider, slots: SharedSlots | None, counters: PaymentCounters) -> None:
        self._inner = inner
        self._slots = slots
        self._counters = counters

    def charge(self, request: Charge) -> Charged | Declined:
        """See ``PaymentProvider.charge``.

        Raises:
            SlotExpiredError: the slot may be another's by the end of the call; nothing was asked.
        """
        return self._counted(lambda: self._inner.charge(request))

    def refund(self, request: Refund) -> Refunded:
        """See ``PaymentProvider.refund``.

        Raises:
            SlotExpiredError: the slot may be another's by the end of the call; nothing was asked.
        """
        return self._counted(lambda: self._inner.refund(request))

    def _counted(self, call: Callable[[], Returned]) -> Returned:
        if self._slots is not None:
            self._slots.demand()
        self._counters.add("calls")
        try:
            return call()
        except ProviderUnavailableError as error:
            self._counters.add("unavailable")
            if isinstance(error, ProviderThrottledError):
                self._counters.add("throttled")
            raise
