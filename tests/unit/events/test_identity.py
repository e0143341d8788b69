"""Derived ids: the same cause gives the same id, and nothing else does."""

import uuid

from orderstream.messages import derived_id, initial_event_id
from orderstream_orders.contracts import order_id_for


def test_the_same_decision_has_the_same_id() -> None:
    """A retry of one decision is no second event."""
    assert derived_id("saga", "cause", 0) == derived_id("saga", "cause", 0)


def test_source_cause_and_ordinal_each_make_another_id() -> None:
    """Two services, two causes or two messages of one decision never share an id."""
    ids = {
        derived_id("saga", "cause", 0),
        derived_id("inventory", "cause", 0),
        derived_id("saga", "other cause", 0),
        derived_id("saga", "cause", 1),
    }
    assert len(ids) == 4


def test_ids_are_name_based_uuids() -> None:
    """Every derived id is a UUIDv5, which other languages can derive as well."""
    ids = (derived_id("saga", "c", 0), initial_event_id("orders", "books", "536365"), order_id_for("a", "1"))
    assert [uuid.UUID(text).version for text in ids] == [5, 5, 5]


def test_idempotency_keys_of_different_callers_never_meet() -> None:
    """A caller's name cannot be chosen so that its keys run into another's."""
    assert order_id_for("a", "b/c") != order_id_for("a/b", "c")
    assert initial_event_id("orders", "a", "b/c") != initial_event_id("orders", "a/b", "c")


def test_an_order_id_never_changes() -> None:
    """Ids in streams and archives outlive the code: the derivation is pinned by an example."""
    assert order_id_for("books", "536365") == "e1552371-7bd8-5e7f-b7cd-6e1c66c9ab96"
    assert derived_id("saga", "cause", 0) == "0bda2994-c18f-59b3-b3a0-f90c349c5c8e"
