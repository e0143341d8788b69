"""A plan of trouble follows from its seed, and touches everything there is."""

from chaos.plan import Trouble, plan_of

PROCESSES = ["api", "inventory", "saga"]


def test_the_same_seed_is_the_same_plan() -> None:
    """A run can be replayed from its seed, and another seed is another run."""
    assert plan_of(7, PROCESSES, 60) == plan_of(7, PROCESSES, 60)
    assert plan_of(7, PROCESSES, 60) != plan_of(8, PROCESSES, 60)


def test_trouble_lasts_as_long_as_asked_and_reaches_everything() -> None:
    """Every kind of trouble and every process turns up; shards are doubled before they are halved."""
    events = plan_of(1, PROCESSES, 600)
    assert 600 <= sum(event.after for event in events) < 603
    assert {event.trouble for event in events} == set(Trouble)
    assert {event.target for event in events if event.target} == set(PROCESSES)
    scaling = [event.trouble for event in events if not event.target]
    assert scaling[:2] == [Trouble.DOUBLE, Trouble.HALVE]
