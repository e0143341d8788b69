"""A plan follows from its seed, and contains what every run has to survive."""

from chaos.plan import SILENT_SERVICES, Trouble, plan_of, skew_plan

PROCESSES = ["api", "inventory", "notifications", "payment-worker", "saga"]


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
