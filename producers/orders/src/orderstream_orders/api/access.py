"""Access to an order: only the caller who placed it has it. For all others the order does not exist."""

from dataclasses import replace

from orderstream_orders.api.idempotency import Accepted, IdempotencyStore
from orderstream_orders.callers.caller import pseudonym_of


class OrderAccess:
    """Asks the memory of accepted orders, which has kept each one's caller since it was placed.

    A version that knew no callers kept none. Such an order has no owner until its caller places it again,
    with the same key and the same body: only who placed it can, since its id follows from the caller and the
    key. An order that an application put into the stream by itself has no owner.

    Args:
        store: Remembers accepted orders.
        enforced: False where callers are not distinguished: every caller has access to every order then.
    """

    def __init__(self, store: IdempotencyStore, *, enforced: bool) -> None:
        self._store = store
        self._enforced = enforced

    def placed_by(self, caller: str) -> str | None:
        """How the orders of a caller name it; None where callers are not distinguished."""
        return pseudonym_of(caller) if self._enforced else None

    def find(self, caller: str, order_id: str) -> Accepted | None:
        """What is remembered of an order; None if there is none of the caller's.

        Raises:
            DependencyError: the store could not be asked.
        """
        accepted = self._store.get(order_id)
        if accepted is None or not self._enforced:
            return accepted
        owner = accepted.caller
        if owner is None and (claim := self._store.get(_claim_of(order_id))) is not None:
            owner = claim.caller
        return accepted if owner == caller else None

    def claim(self, caller: str, order_id: str, accepted: Accepted) -> None:
        """Keep whose an order is of which no caller was kept: who has just placed it again.

        Raises:
            DependencyError: it is unknown whether it is kept; asking again is safe.
        """
        if self._enforced and accepted.caller is None:
            self._store.put_if_absent(_claim_of(order_id), replace(accepted, event=None, caller=caller))

    def may_see(self, caller: str, order_id: str) -> bool:
        """Whether a caller may know of an order.

        Raises:
            DependencyError: the store could not be asked.
        """
        return not self._enforced or self.find(caller, order_id) is not None


def _claim_of(order_id: str) -> str:
    return f"{order_id}/caller"
