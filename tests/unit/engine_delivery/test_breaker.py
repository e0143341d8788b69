"""The breaker: single tries while a dependency fails, everybody once it is back."""

import pytest

from orderstream_consumer.delivery import Breaker, DeliveryConfig, DeliveryTally


class Clock:
    """Time that moves when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def opened() -> tuple[Breaker, Clock]:
    clock = Clock()
    breaker = Breaker(clock, jitter=lambda: 0.0)
    breaker.failed()
    return breaker, clock


def test_closed_it_holds_nobody_back() -> None:
    """Without a failure everybody tries at once."""
    breaker = Breaker(Clock())
    assert [breaker.pause() for _ in range(3)] == [0.0, 0.0, 0.0]


def test_half_open_lets_one_try_through() -> None:
    """After the pause one lane tries; the others wait for its outcome."""
    breaker, clock = opened()
    clock.now += breaker.pause()
    assert breaker.pause() == 0.0
    assert all(breaker.pause() > 0 for _ in range(5))


def test_a_try_that_is_abandoned_holds_nobody_for_ever() -> None:
    """A try without an outcome, such as one of a shard that was stopped, is made by another after a pause."""
    breaker, clock = opened()
    clock.now += breaker.pause()
    assert breaker.pause() == 0.0
    clock.now += breaker.pause()
    assert breaker.pause() == 0.0


def test_pauses_grow_up_to_a_bound() -> None:
    """Each failure makes the pause longer, to five seconds at most, so that the end is noticed soon."""
    breaker, _ = opened()
    pauses = []
    for _ in range(40):
        pauses.append(breaker.pause())
        breaker.failed()
    assert pauses == sorted(pauses)
    assert 0 < pauses[0] < pauses[-1] <= 5.0


def test_a_success_lets_everybody_go_on() -> None:
    """One try that works closes the breaker, and the next failure starts with a short pause."""
    breaker, _ = opened()
    first = breaker.pause()
    breaker.failed()
    breaker.succeeded()
    assert [breaker.pause(), breaker.pause()] == [0.0, 0.0]
    breaker.failed()
    assert breaker.pause() == first


@pytest.mark.parametrize(
    "wrong", [{"max_lanes": 0}, {"max_lead": 0}, {"record_retries": -1}, {"checkpoint_every": 0.0}]
)
def test_a_value_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    """A configuration that could never deliver fails at the start and names the value."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DeliveryConfig(**wrong)  # type: ignore[arg-type]


def test_the_tally_counts_by_name() -> None:
    """Figures are a copy: later events do not change what was read."""
    tally = DeliveryTally()
    tally.count("handled")
    figures = tally.figures()
    tally.count("handled")
    assert (figures, tally.figures()) == ({"handled": 1}, {"handled": 2})
