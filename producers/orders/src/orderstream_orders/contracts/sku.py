"""What a SKU may look like: one rule for the orders API, for files of invoices and for who keeps stock."""

import re
from typing import Final

MAX_SKU: Final = 200
"""Most characters of a SKU."""

PATTERN_OF_SKUS: Final = r"^[!-~]+( [!-~]+)*$(?!\n)"
"""Visible characters of ASCII, and single spaces between them."""

_SKU: Final = re.compile(PATTERN_OF_SKUS)


def is_sku(text: str) -> bool:
    """Whether an order can name this SKU, in whatever case."""
    return len(text) <= MAX_SKU and _SKU.search(text) is not None
