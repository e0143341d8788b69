"""A line now and then, for what many would say."""

from orderstream_consumer.processing.log_throttle import LogThrottle


def test_a_line_is_due_once_in_a_while() -> None:
    """The first at once, whatever the clock begins at; then one an interval."""
    throttle = LogThrottle(60.0)
    assert [throttle.is_due(now) for now in (0.0, 1.0, 59.9, 60.0, 61.0)] == [True, False, False, True, False]
    assert throttle.logged


def test_a_clock_that_is_set_back_silences_nothing() -> None:
    """An hour back, the next line is due as it would have been."""
    throttle = LogThrottle(60.0)
    assert [throttle.is_due(now) for now in (7_200.0, 3_600.0, 3_601.0)] == [True, True, False]


def test_what_is_over_begins_anew() -> None:
    """The next failure is said at once."""
    throttle = LogThrottle(60.0)
    throttle.is_due(0.0)
    throttle.reset()
    assert not throttle.logged
    assert throttle.is_due(1.0)
