"""CloudWatch's rule of a metric alarm: the tables of its user guide, and what follows from its sentences."""

from typing import Final, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderstream_playground.local.alarms.evaluation import AlarmState, Missing, next_state

OK, ALARM, NONE = AlarmState.OK, AlarmState.ALARM, AlarmState.INSUFFICIENT_DATA
KEPT: Final = None
"""The state that the alarm had before."""

SIGNS: Final = {"0": False, "X": True, "-": None}
TREATMENTS: Final = get_args(Missing)

TABLE_3_OF_3: Final = [
    # datapoints    missing, ignore, breaching, notBreaching
    ("0 - X - X", (OK, OK, OK, OK)),
    ("0 - - - -", (OK, OK, OK, OK)),
    ("- - - - -", (NONE, KEPT, ALARM, OK)),
    ("0 X X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("- - X - -", (ALARM, KEPT, ALARM, OK)),
]
TABLE_2_OF_3: Final = [
    ("0 - X - X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 0 X 0 X", (ALARM, ALARM, ALARM, ALARM)),
    ("0 - X - -", (OK, OK, ALARM, OK)),
    ("- - - - 0", (OK, OK, ALARM, OK)),
    ("- - - X -", (ALARM, KEPT, ALARM, OK)),
]
ROWS: Final = [
    *((3, datapoints, row) for datapoints, row in TABLE_3_OF_3),
    *((2, datapoints, row) for datapoints, row in TABLE_2_OF_3),
]

ranges = st.lists(st.sampled_from([True, False, None]), min_size=5, max_size=5)
states = st.sampled_from(AlarmState)


def judged(
    datapoints: str, to_alarm: int, missing: Missing, before: AlarmState, out_of: int = 3
) -> AlarmState:
    signs = [SIGNS[sign] for sign in datapoints.split()]
    return next_state(signs, out_of=out_of, to_alarm=to_alarm, missing=missing, before=before)


@pytest.mark.parametrize(("to_alarm", "datapoints", "row"), ROWS)
@pytest.mark.parametrize("before", AlarmState)
def test_the_guides_tables(
    to_alarm: int, datapoints: str, row: tuple[AlarmState | None, ...], before: AlarmState
) -> None:
    """Each cell of both tables, from whatever state the alarm comes."""
    expected = [before if state is KEPT else state for state in row]
    order: tuple[Missing, ...] = ("missing", "ignore", "breaching", "notBreaching")
    assert [judged(datapoints, to_alarm, missing, before) for missing in order] == expected


@pytest.mark.parametrize("datapoints", ["- - - - X", "- - - X -", "- - - X 0", "- - X - 0"])
def test_a_breach_that_is_young_does_not_ring_by_itself(datapoints: str) -> None:
    """3 of 3: the next datapoint may be well, and then the alarm would have been premature."""
    assert judged(datapoints, 3, "missing", OK) is OK


def test_a_datapoint_rings_for_as_long_as_it_is_in_the_range() -> None:
    """1 of 1 on a metric that has a value only where something is wrong: older datapoints are real ones."""
    assert [
        judged(last, 1, "notBreaching", OK, out_of=1) for last in ("- - X", "- X -", "X - -", "- - -")
    ] == [
        ALARM,
        ALARM,
        ALARM,
        OK,
    ]


def test_silence_rings_once_the_last_good_datapoint_has_left_the_range() -> None:
    """3 of 3, missing data breaching, a process that is gone: not at once, and surely in the end."""
    history = ("0 0 0 0 0", "0 0 0 0 -", "0 0 0 - -", "0 0 - - -", "0 - - - -", "- - - - -")
    assert [judged(datapoints, 3, "breaching", OK) for datapoints in history] == [OK, OK, OK, OK, OK, ALARM]


@given(ranges, states, st.integers(1, 3), st.sampled_from(TREATMENTS))
def test_enough_datapoints_make_the_treatment_and_the_past_irrelevant(
    breaching: list[bool | None], before: AlarmState, to_alarm: int, missing: Missing
) -> None:
    """Where N datapoints are there, the last N of them decide alone."""
    real = [datapoint for datapoint in breaching if datapoint is not None]
    if len(real) >= 3:
        expected = ALARM if sum(real[-3:]) >= to_alarm else OK
        assert next_state(breaching, out_of=3, to_alarm=to_alarm, missing=missing, before=before) is expected


@given(ranges, states, st.integers(1, 3), st.integers(0, 4), st.sampled_from(TREATMENTS))
def test_a_breach_more_never_silences_an_alarm(
    breaching: list[bool | None], before: AlarmState, to_alarm: int, where: int, missing: Missing
) -> None:
    """Where a datapoint that is well would breach, an alarm that rings still rings."""
    worse = [*breaching]
    if worse[where] is False:
        worse[where] = True
    state = next_state(breaching, out_of=3, to_alarm=to_alarm, missing=missing, before=before)
    worse_state = next_state(worse, out_of=3, to_alarm=to_alarm, missing=missing, before=before)
    # Under "ignore" a breach that is old enough holds the state, which may be another one.
    assert state is not ALARM or worse_state is ALARM or missing == "ignore"
