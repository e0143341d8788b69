"""Numbers as options take them."""

import math
from typing import Any

import click


class Number(click.FloatRange):
    """A number within a range; neither NaN, which compares with no bound, nor infinite."""

    def convert(self, value: Any, param: click.Parameter | None, context: click.Context | None) -> float:
        """Return the number, or fail with a sentence that says what is wrong with it."""
        number = float(super().convert(value, param, context))
        if not math.isfinite(number):
            self.fail(f"{value} is not a finite number.", param, context)
        return number
