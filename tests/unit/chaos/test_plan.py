"""A plan of trouble follows from its seed, and touches everything there is."""

from dataclasses import astuple

from chaos.plan import OUTAGE_SECONDS, SILENT_SERVICES, Plan, Trouble, outage_plan, plan_of, skew_plan
from chaos.verdict import toothless

PROCESSES = ["api", "inventory", "saga"]


def plans() -> list[Plan]:
    return [plan_of(seed, PROCESSES, 30) for seed in range(200)]


def test_the_same_seed_is_the_same_plan() -> None:
    """A run can be replayed from its seed, and another seed is another run."""
    assert plan_of(7, PROCESSES, 60) == plan_of(7, PROCESSES, 60)
    assert plan_of(7, PROCESSES, 60) != plan_of(8, PROCESSES, 60)


def test_every_plan_kills_everything_and_lasts_as_long_as_asked() -> None:
    """No process is spared by chance; trouble takes about the time that it was given."""
    for plan in plans():
        assert {event.target for event in plan.events if event.trouble is Trouble.KILL} == set(PROCESSES)
        assert 15 <= sum(event.after for event in plan.events) <= 45


def test_only_holders_of_leases_are_frozen() -> None:
    """A zombie is a process from which others have taken something over."""
    for plan in plans():
        (frozen,) = [event for event in plan.events if event.trouble is Trouble.FREEZE]
        assert frozen.target in {"inventory", "saga"}


def test_every_kind_of_trouble_turns_up() -> None:
    """Over some plans everything happens; the longest outages have plans of their own."""
    happened = {event.trouble for plan in plans() for event in plan.events}
    assert happened == set(Trouble)


def test_shards_are_doubled_before_they_are_halved() -> None:
    """A stream is never halved below what it began with."""
    for plan in plans():
        scaling = [event.trouble for event in plan.events if event.trouble in (Trouble.DOUBLE, Trouble.HALVE)]
        assert scaling in ([], [Trouble.DOUBLE, Trouble.HALVE])


def test_every_fault_has_a_rate_in_every_plan() -> None:
    """Faults of all servers come at once, each rarely enough for the pipeline to go on."""
    for plan in plans():
        rates = [*astuple(plan.aws), *(fault["rate"] for fault in plan.kinesis)]
        assert all(0 < rate <= 0.4 for rate in rates)
        assert 8 <= plan.decline_percent <= 20


def test_an_outage_is_nothing_but_itself() -> None:
    """A service is away for two minutes, and no other trouble hides what that does."""
    away = outage_plan(3, "dynamodb").events[0]
    assert (away.trouble, away.target, away.demand) == (Trouble.OUTAGE, "dynamodb", {"seconds": 120.0})
    away = outage_plan(3, "payments").events[0]
    assert (away.trouble, away.demand) == (Trouble.PROVIDER, {"outage_seconds": OUTAGE_SECONDS})
    assert not any(astuple(outage_plan(3, "dynamodb").aws))


def test_a_plan_without_teeth_is_found() -> None:
    """A fault that was planned and never struck is named; zero times is never."""
    assert list(toothless("provider-outage", {"provider:outage": 3})) == []
    assert list(toothless("provider-outage", {"provider:outage": 0})) == [
        "provider:outage was never injected"
    ]


def test_every_plan_has_the_trouble_that_no_run_may_miss() -> None:
    """A wrong clock, deleted leases, and mail and topic away, whatever the seed."""
    for seed in range(50):
        events = plan_of(seed, PROCESSES, 20.0).events
        kinds = [event.trouble for event in events]
        assert {Trouble.SKEW, Trouble.LEASES, Trouble.FREEZE, Trouble.KILL} <= set(kinds)
        away = {event.target for event in events if event.trouble is Trouble.OUTAGE}
        assert away == set(SILENT_SERVICES)
        assert plan_of(seed, PROCESSES, 20.0).events == events


def test_the_clock_of_each_process_is_wrong_in_turn() -> None:
    """An hour ahead or behind, each process once."""
    events = skew_plan(3, PROCESSES, 20.0).events
    skewed = [event for event in events if event.trouble is Trouble.SKEW]
    assert sorted(event.target for event in skewed) == PROCESSES
    assert {abs(event.demand["hours"]) for event in skewed} == {1.0}
