"""Checkpoints that went back, or ahead of their effects, are found in samples that show exactly that."""

from collections.abc import Mapping
from typing import Any

import pytest

from chaos.progress import Checkpoint, Sample, progress_violations
from chaos.streams import Message

SHARD = "shard-0"


def message(position: int, kind: str, identity: str, arrived: float, **envelope: Any) -> Message:
    told = {"specversion": "1.0", "type": kind, "id": identity, "source": "orders-api", "subject": "o-1"}
    return Message(SHARD, (position, 0), arrived, b"{}", told | envelope)


PLACED = message(1, "OrderPlaced", "1", 10.0)
RESERVE = message(2, "inventory.ReserveStock", "2", 11.0, source="saga", causationid="1")
HISTORY = (PLACED, RESERVE)


def sample(
    checkpoints: Mapping[str, Checkpoint],
    *,
    read_at: float = 20.0,
    guarded: Mapping[str, frozenset[str]] | None = None,
    shown: tuple[str, ...] = ("1", "2"),
    forgotten: tuple[str, ...] = (),
) -> Sample:
    tables = {"saga-orders": frozenset({"o-1"}), "reservations": frozenset({"o-1"})}
    by_shard = {name: {SHARD: checkpoint} for name, checkpoint in checkpoints.items()}
    return Sample(read_at, by_shard, tables | (guarded or {}), frozenset(shown), frozenset(forgotten))


def test_a_checkpoint_behind_its_effects_is_right() -> None:
    """Guards hold the order, the read model shows it, the outputs were acknowledged before."""
    seen = [sample({"saga": (1, 0), "order-status": (2, 0), "inventory": "SHARD_END"})]
    assert list(progress_violations(seen, HISTORY)) == []


def test_a_checkpoint_that_goes_back_is_found() -> None:
    """What was released is not delivered again, unless somebody deleted the lease."""
    (found,) = progress_violations([sample({"saga": (2, 0)}), sample({"saga": (1, 0)})], HISTORY)
    assert "went back" in found
    forgotten = sample({"saga": "TRIM_HORIZON"}, forgotten=("saga",))
    assert list(progress_violations([sample({"saga": (2, 0)}), forgotten], HISTORY)) == []


@pytest.mark.parametrize("checkpoint", [(1, 0), "SHARD_END"])
def test_a_checkpoint_past_an_order_without_a_guard_is_found(checkpoint: Checkpoint) -> None:
    """The saga has released an order that it does not know."""
    (found,) = progress_violations(
        [sample({"saga": checkpoint}, guarded={"saga-orders": frozenset()})], HISTORY
    )
    assert "is not in saga-orders" in found
    assert not list(
        progress_violations([sample({"saga": "TRIM_HORIZON"}, guarded={"saga-orders": frozenset()})], HISTORY)
    )


def test_a_checkpoint_past_what_is_not_shown_is_found() -> None:
    """Order status has released a message that no reader can see."""
    (found,) = progress_violations([sample({"order-status": (2, 0)}, shown=("1",))], HISTORY)
    assert "does not show" in found


def test_a_checkpoint_before_the_output_is_found() -> None:
    """The saga released the order before Kinesis had acknowledged the command that follows from it."""
    (found,) = progress_violations([sample({"saga": (1, 0)}, read_at=10.5)], HISTORY)
    assert "0.500 s before inventory.ReserveStock" in found
