"""Which orders of the bundled month are played: the same ones each time, small and large alike."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orderstream_playground.demo.invoices import Invoice, read_invoices, rejection_of

MONTH: Final = Path(__file__).parents[2] / "data" / "online-retail-2010-12.csv.gz"
SAMPLED: Final = 21
"""Orders at even steps of the month's, sorted by their lines; an odd number, so that one is the median."""


@dataclass(frozen=True)
class Sample:
    """Orders to play.

    Attributes:
        month: A sample of all orders of the month, by their lines.
        largest: The one at the 99th percentile of lines.
        smallest: One of one line, of a customer to whom a mail is sent.
    """

    month: tuple[Invoice, ...]
    largest: Invoice
    smallest: Invoice


def sample_of_month(path: Path = MONTH) -> Sample:
    """Choose the orders, of those that the importer offers and the orders API takes."""
    seen = _Seen()
    offered = [
        invoice
        for invoice in read_invoices(path)
        if rejection_of(invoice, seen) is None and _is_taken(invoice)
    ]
    offered.sort(key=lambda invoice: (len(invoice.lines), invoice.number))
    return Sample(
        tuple(offered[len(offered) * (2 * step + 1) // (2 * SAMPLED)] for step in range(SAMPLED)),
        offered[len(offered) * 99 // 100],
        next(invoice for invoice in offered if invoice.customer_id is not None),
    )


def _is_taken(invoice: Invoice) -> bool:
    """What the API takes: units above zero, prices of zero and more, and something to pay."""
    prices = [float(line.unit_price) for line in invoice.lines]
    return sum(prices) > 0 and min(prices) >= 0 and all(line.quantity > 0 for line in invoice.lines)


class _Seen:
    def __init__(self) -> None:
        self._numbers: set[str] = set()

    def first_time(self, number: str) -> bool:
        return number not in self._numbers and not self._numbers.add(number)
