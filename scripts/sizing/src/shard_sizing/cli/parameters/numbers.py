"""Numbers and times as options take them."""

import datetime as dt
import math
from typing import Any

import click


class Number(click.FloatRange):
    """A number within a range; neither NaN, which compares with no bound, nor infinite."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail with a sentence that says what is wrong with it."""
        number = float(super().convert(value, param, context))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, context)
        return number


class Moment(click.ParamType[dt.datetime]):
    """A time in ISO 8601; without a zone it is UTC."""

    name = "time"

    def convert(
        self, value: Any, param: click.Parameter | None, context: click.Context | None
    ) -> dt.datetime:
        """Return the time, or fail with a sentence."""
        try:
            at = dt.datetime.fromisoformat(str(value))
        except ValueError:
            self.fail(f"{value!r} is no time such as 2026-11-29T12:00:00.", param, context)
        return at if at.tzinfo else at.replace(tzinfo=dt.UTC)
