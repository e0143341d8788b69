"""Slots under kills, freezes, lost acknowledgements and slow providers: never too many, and none is lost."""

import pytest

from orderstream.configuration import ConfigError
from orderstream_consumer.limits import SharedSlots, SlotLimit
from orderstream_consumer.limits.slots import SlotHolder, SlotPlan
from property.effects.slot_world import LIMIT, SlotWorld

SEEDS = range(40)
STEPS = 300


def broken_rules(seed: int, kind: type[SharedSlots]) -> list[str]:
    """The rules that a run breaks."""
    world = SlotWorld(seed, kind)
    for _ in range(STEPS):
        world.step()
    found = ["too many at once"] if world.most > LIMIT.at_once else []
    return found + (["a slot is lost"] if world.left_after_peace() != LIMIT.at_once else [])


@pytest.mark.parametrize("seed", SEEDS)
def test_the_provider_never_sees_too_many_and_no_slot_is_lost(seed: int) -> None:
    """By the provider's own count the limit holds, and after a life of quiet all slots can be had again."""
    assert broken_rules(seed, SharedSlots) == []


def test_calls_are_made_all_the_same() -> None:
    """The worlds above are busy ones: slots are used, up to the limit."""
    worlds = [SlotWorld(seed) for seed in range(10)]
    for world in worlds:
        for _ in range(STEPS):
            world.step()
    assert min(world.done for world in worlds) > 10
    assert max(world.most for world in worlds) == LIMIT.at_once


class Leaking(SharedSlots):
    """Forgets to give back what got no response."""

    def give_back(self, *, answered: bool = True) -> None:
        if answered:
            super().give_back()


class Impatient(SharedSlots):
    """Gives the slot of an unanswered call back at once."""

    def give_back(self, *, answered: bool = True) -> None:
        super().give_back()


class Sleepwalking(SharedSlots):
    """Calls though its slot has expired."""

    def demand(self) -> None:
        pass


class Alone(SharedSlots):
    """Counts its own slots only."""

    def plan(self, item):
        plan = super().plan(item)
        room = LIMIT.at_once - self._holder.in_use(self._now())
        return SlotPlan(max(0, room), plan.others, plan.due, plan.lost)


class Hasty(SharedSlots):
    """Takes a silent holder for dead long before its life is over."""

    def __init__(self, limit: SlotLimit, **given) -> None:
        super().__init__(limit, **given)
        short = SlotLimit(at_once=limit.at_once, call=0.1, serving=0.1, life=1.0)
        judge = SlotHolder("judge", short)
        self._judge = judge

    def plan(self, item):
        plan = super().plan(item)
        held = self._judge.plan({**plan.others}, self._now()).others
        room = LIMIT.at_once - sum(row.slots for row in held.values()) - self._holder.in_use(self._now())
        return SlotPlan(max(0, room), held, plan.due, plan.lost)


@pytest.mark.parametrize(
    ("defect", "rule"),
    [
        (Leaking, "a slot is lost"),
        (Impatient, "too many at once"),
        (Sleepwalking, "too many at once"),
        (Alone, "too many at once"),
        (Hasty, "too many at once"),
    ],
)
def test_a_planted_defect_is_found(defect: type[SharedSlots], rule: str) -> None:
    """Each rule is held by its own piece: without it some of the same worlds break."""
    assert any(rule in broken_rules(seed, defect) for seed in SEEDS)


@pytest.mark.parametrize(
    ("field", "given"),
    [
        ("at_once", {"at_once": 0}),
        ("call", {"call": 0.0}),
        ("life", {"call": 9.0, "serving": 3.0}),
        ("life", {"call": float("inf")}),
    ],
)
def test_a_slot_outlives_its_call(field: str, given: dict[str, float]) -> None:
    """A life that a call could outlast, and a call without a timeout, are refused at once."""
    limits: dict[str, float] = {"at_once": 3, "call": 4.0, "serving": 3.0, "life": 12.0}
    with pytest.raises(ConfigError) as caught:
        SlotLimit(**(limits | given))  # type: ignore[arg-type]
    assert caught.value.field == field
