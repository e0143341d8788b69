"""The price file: dated figures in USD by Region, each with its source; the only copy of them there is."""

import tomllib
from functools import cache
from importlib.resources import files
from typing import Any

from orderstream.aws.billing.units import UNITS


def bundled_prices() -> str:
    """Return the text of the file: TOML."""
    return (files("orderstream.aws.billing") / "prices.toml").read_text(encoding="utf-8")


@cache
def unit_prices(region: str) -> dict[str, float] | None:
    """Return USD of one of each unit in a Region; None unless all of them are on file.

    Args:
        region: Such as ``"us-east-1"``.
    """
    figures: dict[str, Any] = tomllib.loads(bundled_prices())["regions"].get(region, {})
    if any(unit.price not in figures for unit in UNITS.values()):
        return None
    return {name: figures[unit.price]["usd"] / unit.per for name, unit in UNITS.items()}


@cache
def prices_date() -> str:
    """Return the day of which the file is, ISO 8601."""
    return str(tomllib.loads(bundled_prices())["date"])
