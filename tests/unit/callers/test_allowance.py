"""How many requests a caller may make."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from orderstream_orders.callers.allowance import Allowances


def test_a_burst_then_the_rate() -> None:
    """A quiet caller may make a burst; then each request waits for its part of a second."""
    allowances = Allowances(10.0, 20.0)
    assert [allowances.take("a", 5.0) for _ in range(20)] == [0.0] * 20
    assert allowances.take("a", 5.0) == 0.1
    assert allowances.take("a", 5.0625) == pytest.approx(0.0375)
    assert allowances.take("a", 5.125) == 0.0
    assert allowances.take("a", 5.125) > 0


def test_callers_do_not_wait_for_each_other() -> None:
    """One that asks without end takes nothing from another."""
    allowances = Allowances(1.0, 1.0)
    assert allowances.take("greedy", 0.0) == 0.0
    assert all(allowances.take("greedy", 0.0) > 0 for _ in range(100))
    assert allowances.take("other", 0.0) == 0.0


def test_without_a_rate_there_is_no_bound() -> None:
    """0 means that callers may ask as often as they like."""
    allowances = Allowances(0.0, 0.0)
    assert [allowances.take("a", 0.0) for _ in range(1_000)] == [0.0] * 1_000


def test_few_callers_are_remembered() -> None:
    """Memory is bounded; the one that was not heard of for the longest time is forgotten."""
    allowances = Allowances(1.0, 1.0, most_callers=2)
    for caller in ("a", "b", "c"):
        assert allowances.take(caller, 0.0) == 0.0
    assert allowances.take("c", 0.0) > 0
    assert allowances.take("b", 0.0) > 0
    assert allowances.take("a", 0.0) == 0.0


@given(st.lists(st.floats(0, 0.5), max_size=200))
def test_never_more_than_the_burst_and_the_rate(pauses: list[float]) -> None:
    """Whatever the pauses are: no more than burst and rate allow since the start, and to wait is enough."""
    allowances, now, granted = Allowances(4.0, 3.0), 0.0, 0
    for pause in pauses:
        now += pause
        wait = allowances.take("a", now)
        granted += wait == 0.0
        assert granted <= 3.0 + 4.0 * now + 1e-6
    while (wait := allowances.take("a", now)) == 0.0:
        granted += 1
    assert allowances.take("a", now + wait + 1e-9) == 0.0
