"""Where reservations are kept: a small header per order, and its lines beside it, written once."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import msgspec

from orderstream.messages import Envelope
from orderstream_consumer.idempotency.inbox import CAPACITY, Inbox
from orderstream_consumer.idempotency.received import Received
from orderstream_consumer.idempotency.state_items import StateItems
from orderstream_consumer.store import Attribute, Put, Store, TableSpec
from orderstream_orders.contracts import Reply, StockLine, StockSold
from orderstream_workers.services.inventory.domain import Reservation, Step

RESERVATIONS: Final = TableSpec("reservations")
"""Key: order id for the header (state, inbox, times of decisions), order id + ``#lines`` for the lines. The
lines never change, so that a chunk's transaction rewrites the header alone, however long the order is. Key of
what an operator did to stock: ``adjustment#`` + the adjustment's id."""

_DECIDED: Final = "decided"


@dataclass(frozen=True, slots=True)
class Stored:
    """A header as it is stored.

    Attributes:
        state: The reservation; None where the order is not known.
        version: The item's version; None where the order is not known.
        entries: The inbox: what has been carried out for this order.
        decided: When each kind of reply was decided, by its type: ISO 8601.
        inbox_capacity: Entries of the inbox that are kept.
    """

    state: Reservation | None = None
    version: int | None = None
    entries: Mapping[str, Attribute] = field(default_factory=dict)
    decided: dict[str, Attribute] = field(default_factory=dict)
    inbox_capacity: int = CAPACITY

    @property
    def inbox(self) -> Inbox:
        """The inbox, to ask it what a delivery is."""
        return Inbox(self.entries, self.inbox_capacity)

    def decided_at(self, reply: Reply | StockSold, now: dt.datetime) -> dt.datetime:
        """When such a reply was decided first; now, where it is the first."""
        known = self.decided.get(reply.type_name())
        return dt.datetime.fromisoformat(known) if isinstance(known, str) else now

    def after(self, step: Step) -> "Stored":
        """The header once a step has been committed that does not end its request.

        Args:
            step: What was committed.
        """
        return replace(self, state=step.state, version=(self.version or 0) + 1)

    def replaced(self, state: Reservation) -> "Stored":
        """The header once an operator's word has replaced its state."""
        return replace(self, state=state, version=(self.version or 0) + 1)

    def ended(self, step: Step, received: Received, reply: Envelope) -> "Stored":
        """The header once the step has been committed that ends a request.

        Args:
            step: What was committed.
            received: The request.
            reply: Its reply.
        """
        return replace(
            self.after(step),
            entries=self.inbox.with_entry(received, (reply.encode(),)),
            decided={**self.decided, reply.type: reply.time.isoformat()},
        )


class Reservations:
    """Reads and writes reservations.

    Args:
        store: Where they are kept.
        inbox_capacity: Entries of one order's inbox that are kept, at least 1.
    """

    def __init__(self, store: Store, inbox_capacity: int = CAPACITY) -> None:
        self._store = store
        self._inbox_capacity = inbox_capacity

    def load(self, order_id: str) -> Stored:
        """The header of an order.

        Raises:
            DependencyError: the store did not respond.
        """
        item = self._store.get(RESERVATIONS.name, order_id)
        if item is None:
            return Stored(inbox_capacity=self._inbox_capacity)
        return Stored(
            _HEADERS.state(item),
            item.version,
            _HEADERS.inbox(item).entries,
            item.value(_DECIDED, dict, {}),
            self._inbox_capacity,
        )

    def lines(self, order_id: str) -> tuple[StockLine, ...]:
        """The lines of an order, sorted by SKU; empty where it has none.

        Raises:
            DependencyError: the store did not respond.
        """
        item = self._store.get(RESERVATIONS.name, _lines_key(order_id))
        if item is None:
            return ()
        return msgspec.json.decode(item.value("lines", bytes), type=tuple[StockLine, ...])

    def header(self, order_id: str, stored: Stored, following: Stored) -> Put:
        """The write that advances a header, on condition that it is unchanged.

        Args:
            order_id: The order.
            stored: The header as it was read.
            following: What it becomes.
        """
        assert following.state is not None, "what follows a step is a reservation"
        return _HEADERS.put(
            order_id,
            following.state,
            inbox=following.entries,
            version=stored.version,
            beside={_DECIDED: following.decided},
        )

    def first_lines(self, order_id: str, lines: Sequence[StockLine]) -> Put:
        """The write that keeps an order's lines, together with its first header.

        Args:
            order_id: The order.
            lines: Its lines, sorted by SKU.
        """
        return Put(
            table=RESERVATIONS.name,
            key=_lines_key(order_id),
            attributes={"lines": msgspec.json.encode(lines)},
            expected_version=None,
        )


_HEADERS: Final = StateItems(RESERVATIONS.name, Reservation)


def _lines_key(order_id: str) -> str:
    return f"{order_id}#lines"
