"""How a service keeps what it guards: one item a subject, with its state and its inbox, under one version."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

import msgspec

from orderstream_consumer.idempotency.inbox import CAPACITY, INBOX, Inbox
from orderstream_consumer.store import Attribute, Item, Put

State = TypeVar("State", bound=msgspec.Struct)

_STATE: Final = "state"


class StateItems(Generic[State]):
    """Reads and writes such items of one table, without any I/O.

    Args:
        table: The table; the key is the subject, such as an order's id.
        state_type: What the state is decoded to.
    """

    def __init__(self, table: str, state_type: type[State]) -> None:
        self.table = table
        self._decoder = msgspec.json.Decoder(state_type)

    def state(self, item: Item) -> State:
        """The state that an item holds.

        Raises:
            ItemUnreadableError: it holds none.
        """
        return self._decoder.decode(item.value(_STATE, bytes))

    def inbox(self, item: Item | None, capacity: int = CAPACITY) -> Inbox:
        """The inbox of an item; empty where there is no item.

        Args:
            item: The item.
            capacity: Entries that are kept, at least 1.

        Raises:
            ItemUnreadableError: the item has none.
        """
        return Inbox(None if item is None else item.value(INBOX, dict, {}), capacity)

    def put(
        self,
        subject: str,
        state: State,
        *,
        inbox: Mapping[str, Attribute] | None = None,
        version: int | None = None,
        beside: Mapping[str, Attribute] | None = None,
    ) -> Put:
        """The write that makes or replaces an item.

        Args:
            subject: Its key.
            state: Its state from now on.
            inbox: The entries of its inbox from now on; none by default.
            version: The version that it must have; None where it must not exist.
            beside: What else the service notes in it.
        """
        attributes = {_STATE: msgspec.json.encode(state), INBOX: dict(inbox or {}), **(beside or {})}
        return Put(self.table, subject, attributes, version)
