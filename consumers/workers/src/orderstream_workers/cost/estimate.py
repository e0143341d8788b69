"""Reckons what AWS bills for an order, from what is known of it: its messages, its lines, its mails.

What each message causes in all applications was counted in a run in which orders came one after another; the
file beside this one says when. It is a line for each unit: so many, and so many more for each stock line.
"""

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import msgspec

from orderstream.aws.billing import by_service, unit_prices

MAIL: Final = "ses_mail"
"""Known for each order, so not reckoned from its messages."""


class UnitsPerMessage(msgspec.Struct, frozen=True):
    """The counted units.

    Attributes:
        date: When they were counted.
        made_by: How.
        messages: By the type of the message and the unit: how many, and how many more for each stock line.
    """

    date: str
    made_by: str
    messages: dict[str, dict[str, tuple[float, float]]]


class Estimate(msgspec.Struct, frozen=True):
    """What AWS bills for an order.

    Attributes:
        units: Amounts by the names of ``orderstream.aws.billing.UNITS``.
        usd: USD by service; None where the Region's prices are not on file.
        unknown: Types of its messages of which nothing was counted.
    """

    units: dict[str, float]
    usd: dict[str, float] | None
    unknown: tuple[str, ...]

    @property
    def total(self) -> float | None:
        """USD of all services."""
        return None if self.usd is None else sum(self.usd.values())


@cache
def units_per_message() -> UnitsPerMessage:
    """The counted units that come with this version."""
    content = (files("orderstream_workers.cost") / "units-per-message.json").read_bytes()
    return msgspec.json.decode(content, type=UnitsPerMessage)


def estimated(messages: Mapping[str, int], *, lines: int, mails: int, region: str) -> Estimate:
    """Reckon what an order costs.

    Args:
        messages: How many messages of each type it has.
        lines: Its lines that take stock, at most one for each SKU.
        mails: Mails that were sent for it.
        region: Whose prices count, such as ``"us-east-1"``.
    """
    counted = units_per_message().messages
    units: dict[str, float] = {MAIL: float(mails)} if mails else {}
    for message, times in messages.items():
        for unit, (fixed, per_line) in counted.get(message, {}).items():
            units[unit] = units.get(unit, 0.0) + times * (fixed + per_line * lines)
    prices = unit_prices(region)
    return Estimate(
        units,
        None if prices is None else by_service(units, prices),
        tuple(sorted(set(messages) - set(counted))),
    )
