r"""CloudWatch's rule of a metric alarm, as a pure function of the datapoints.

::

                 enough datapoints breach
    OK <───────────────────────────────────> ALARM
       \                                    /
        \──> INSUFFICIENT_DATA <───────────/     no datapoint, and missing ones count as missing

The rule is that of "Configuring how CloudWatch alarms treat missing data" in the CloudWatch User Guide. More
datapoints are fetched than the N that an alarm evaluates, so that older ones stand in for those that are
missing; what is still missing then counts as the alarm says.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Final, Literal

Missing = Literal["breaching", "notBreaching", "ignore", "missing"]
"""What a missing datapoint counts as, in CloudWatch's own words."""

MORE_FETCHED: Final = 2
"""Datapoints that are fetched beyond N. The guide's tables fetch 5 for an N of 3, and state no formula."""


class AlarmState(StrEnum):
    """What an alarm says."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


def next_state(
    breaching: Sequence[bool | None], *, out_of: int, to_alarm: int, missing: Missing, before: AlarmState
) -> AlarmState:
    """The state after an evaluation.

    Args:
        breaching: The evaluation range, oldest first: whether each datapoint breaches the threshold; None
            where it is missing.
        out_of: N, the datapoints that are evaluated.
        to_alarm: M, those of them that have to breach.
        missing: What a missing datapoint counts as.
        before: The state before it.
    """
    real = [datapoint for datapoint in breaching if datapoint is not None]
    lacking = out_of - len(real)
    if lacking <= 0:
        return _judged(sum(real[-out_of:]), to_alarm)
    if missing == "breaching":
        return _judged(sum(real) + lacking, to_alarm)
    if missing == "notBreaching":
        return _judged(sum(real), to_alarm)
    if not real:
        return before if missing == "ignore" else AlarmState.INSUFFICIENT_DATA
    if sum(real) < to_alarm and _breached_for_long(breaching, to_alarm):
        return before if missing == "ignore" else AlarmState.ALARM
    return _judged(sum(real), to_alarm)


def _judged(breaching: int, to_alarm: int) -> AlarmState:
    return AlarmState.ALARM if breaching >= to_alarm else AlarmState.OK


def _breached_for_long(breaching: Sequence[bool | None], to_alarm: int) -> bool:
    """Whether M datapoints would breach, had those after the oldest that breaches not been missing.

    That is what the guide calls avoiding premature transitions: a datapoint that breaches rings by itself
    once it is M old, and not while it is younger, since the next one may be well. By the guide's tables, any
    datapoint in the range that does not breach turns this off.
    """
    since = next(index for index, datapoint in enumerate(breaching) if datapoint is not None)
    return False not in breaching and len(breaching) - since >= to_alarm
