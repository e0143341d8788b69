"""Wake-ups that may ring too early, and never too late."""

import math

from hypothesis import given
from hypothesis import strategies as st

from orderstream_consumer.engines.embedded.wake_ups import WakeUps


def test_the_earliest_of_a_sleepers_moments_counts() -> None:
    """Later ones do not push it away; once woken it sleeps on until it is noted again."""
    wake_ups: WakeUps[str] = WakeUps()
    for moment in (5.0, 3.0, 9.0, math.inf):
        wake_ups.note("a", moment)
    wake_ups.note("b", 4.0)
    assert wake_ups.first() == 3.0
    assert wake_ups.due(2.9) == []
    assert wake_ups.due(4.5) == ["a", "b"]
    assert wake_ups.first() == math.inf


def test_who_is_forgotten_is_not_woken() -> None:
    """A shard that is done rings no more, and its successor of the same name is another sleeper."""
    wake_ups: WakeUps[str] = WakeUps()
    wake_ups.note("a", 1.0)
    wake_ups.forget("a")
    assert wake_ups.due(9.0) == []
    wake_ups.note("a", 2.0)
    assert wake_ups.due(9.0) == ["a"]


@given(
    st.lists(
        st.one_of(
            st.tuples(st.sampled_from("abc"), st.floats(0, 50)),
            st.tuples(st.sampled_from("abc"), st.none()),
            st.floats(0, 10),
        )
    )
)
def test_nobody_oversleeps(steps: list[object]) -> None:
    """Whatever is noted, forgotten and waited for, each is woken at its earliest moment, by a plain model."""
    wake_ups: WakeUps[str] = WakeUps()
    model: dict[str, float] = {}
    now = 0.0
    for step in steps:
        match step:
            case (str(sleeper), float(moment)):
                wake_ups.note(sleeper, moment)
                model[sleeper] = min(moment, model.get(sleeper, math.inf))
            case (str(sleeper), None):
                wake_ups.forget(sleeper)
                model.pop(sleeper, None)
            case float(pause):
                now += pause
                due = {sleeper for sleeper, moment in model.items() if moment <= now}
                assert set(wake_ups.due(now)) == due
                model = {sleeper: moment for sleeper, moment in model.items() if sleeper not in due}
        assert wake_ups.first() == min(model.values(), default=math.inf)
