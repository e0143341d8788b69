"""The provider's limit counts any second, not fixed ones."""

from hypothesis import given
from hypothesis import strategies as st

from orderstream_playground.local.payments_api import RequestWindow, UnderWay


def test_two_bursts_around_the_turn_of_a_second_are_one() -> None:
    """Five at 0.9 s leave no room at 1.1 s."""
    window = RequestWindow(5)
    assert [window.wait(0.9) for _ in range(5)] == [0.0] * 5
    assert 0.7 < window.wait(1.1) < 0.9
    assert window.wait(1.91) == 0.0


@given(limit=st.integers(1, 6), gaps=st.lists(st.floats(0, 0.7), max_size=80))
def test_no_second_has_more_than_the_limit(limit: int, gaps: list[float]) -> None:
    """Wherever a second is laid, no more than the limit passed in it."""
    window, now, passed = RequestWindow(limit), 0.0, []
    for gap in gaps:
        now += gap
        if window.wait(now) == 0.0:
            passed.append(now)
    assert all(later - first >= 0.999_999 for first, later in zip(passed, passed[limit:], strict=False))


def test_what_is_under_way_is_bounded_and_counted() -> None:
    """One too many is refused and counted, and there is room again once another is done."""
    under_way = UnderWay(2)
    assert [under_way.begin() for _ in range(3)] == [True, True, False]
    under_way.end()
    assert under_way.begin()
    assert (under_way.most, under_way.crowded) == (2, 1)


def test_without_a_bound_everything_is_taken_up() -> None:
    """The most is counted all the same."""
    under_way = UnderWay()
    assert all(under_way.begin() for _ in range(50))
    assert (under_way.most, under_way.crowded) == (50, 0)
