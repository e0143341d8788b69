"""Writes the figures into docs/cost.md, between its marks."""

import re
from pathlib import Path
from typing import Final

from cost.figures import Figures

DOCUMENT: Final = Path(__file__).parents[2] / "docs" / "cost.md"
_PARTS: Final = 8
_MILLION: Final = 1e6


def documented(text: str, figures: Figures) -> str:
    """The document with these figures."""
    return _between(_between(text, "make cost", _table(figures)), "parts", _parts(figures))


def _between(text: str, mark: str, content: str) -> str:
    pattern = re.compile(f"(<!-- {mark}: begin -->\n).*?(<!-- {mark}: end -->)", re.DOTALL)
    return pattern.sub(lambda found: f"{found[1]}{content}{found[2]}", text)


def _table(figures: Figures) -> str:
    columns = (figures.median, figures.p99, figures.one_line)
    services = sorted({service for usd in columns for service in usd})
    rows = [
        f"| {service} | {' | '.join(f'{usd.get(service, 0.0) * _MILLION:,.2f}' for usd in columns)} |"
        for service in services
    ]
    total = " | ".join(f"**{sum(usd.values()) * _MILLION:,.2f}**" for usd in columns)
    return "\n".join(
        [
            f"Counted {figures.date}, prices of {figures.region} of {figures.prices}:",
            "",
            "| USD a million orders | median | 99th percentile | one line |",
            "|---|--:|--:|--:|",
            *rows,
            f"| **total** | {total} |",
            "",
        ]
    )


def _parts(figures: Figures) -> str:
    rows = list(figures.operations.items())[:_PARTS]
    head = "| a mean order of the month, its dearest parts | USD a million orders |\n|---|--:|\n"
    return head + "".join(f"| {name} | {usd * _MILLION:,.2f} |\n" for name, usd in rows)
