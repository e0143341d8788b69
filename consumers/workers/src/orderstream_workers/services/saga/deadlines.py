"""How long the coordinator waits for replies."""

import datetime as dt

import msgspec


class SagaDeadlines(msgspec.Struct, frozen=True, kw_only=True):
    """Deadlines of the steps, from the moment of the request. All must be above zero.

    A deadline has to be longer than the queue of the step can be, or a backlog makes every order time out and
    the compensations deepen the backlog. So a payment has two of them: it is not charged after
    ``payment_not_after``, and says so; the coordinator's own deadline is for the case that
    not even that arrives.

    Attributes:
        reserve_stock: Until inventory has replied; 10 minutes by default.
        payment_not_after: How long the payment may be charged; 15 minutes by default.
        capture_payment: Until payments has replied; 20 minutes by default, and always longer than
            ``payment_not_after``.
        ship_order: Until shipping has replied, before it is asked again; 10 minutes by default.
        compensation: Until a compensation has been replied to, before it is asked for again; 10 minutes by
            default.
    """

    reserve_stock: dt.timedelta = dt.timedelta(minutes=10)
    payment_not_after: dt.timedelta = dt.timedelta(minutes=15)
    capture_payment: dt.timedelta = dt.timedelta(minutes=20)
    ship_order: dt.timedelta = dt.timedelta(minutes=10)
    compensation: dt.timedelta = dt.timedelta(minutes=10)

    def __post_init__(self) -> None:
        """Check the ranges."""
        for name in self.__struct_fields__:
            if getattr(self, name) <= dt.timedelta(0):
                raise ValueError(f"{name} must be above zero")
        if self.capture_payment <= self.payment_not_after:
            raise ValueError("capture_payment must be longer than payment_not_after")
