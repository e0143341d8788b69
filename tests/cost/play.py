"""Plays the sample and the other ways in which an order may end; gives what each order was billed."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from cost.figures import PlayedOrder
from cost.pipeline import BilledPipeline
from cost.sample import Sample
from orderstream_playground.demo.invoices import Invoice, InvoiceLine
from orderstream_workers.runtime.settings import Settings

_LINES: Final = (1, 10, 40)
"""Of the orders that are cancelled: enough to tell what each further line costs."""


@dataclass(frozen=True)
class Played:
    """What was played.

    Attributes:
        month: The sample of the month.
        largest: The order at the 99th percentile of lines.
        smallest: The order of one line.
        cancelled: Orders without stock, with declined charges, and cancelled by their customers.
        checked: How often DynamoDB's emulator stated what a request took of a table.
        differing: Where that is not what was reckoned from the request.
    """

    month: list[PlayedOrder]
    largest: PlayedOrder
    smallest: PlayedOrder
    cancelled: list[PlayedOrder]
    checked: int
    differing: list[str]

    @property
    def all(self) -> list[PlayedOrder]:
        """Every order."""
        return [*self.month, self.largest, self.smallest, *self.cancelled]


def play(
    settings: Settings,
    sample: Sample,
    pipeline_of: Callable[[Settings], AbstractContextManager[BilledPipeline]] = BilledPipeline,
) -> Played:
    """Play everything.

    Args:
        settings: Of the provisioned emulator.
        sample: The orders.
        pipeline_of: Makes the pipeline.
    """
    with pipeline_of(settings) as pipeline:
        everything = (*sample.month, sample.largest, sample.smallest)
        pipeline.stock({line.sku for each in everything for line in each.lines if not line.is_service})
        pipeline.stock(_skus("10", max(_LINES)))
        pipeline.stock(_skus("20", max(_LINES)), units=0)
        pipeline.play(_invoice("warm-up", "10", 1))  # clients find their queues, tables their first rows
        pipeline.meter.taken.clear()
        game = _Game(pipeline)
        month = [game.played(invoice) for invoice in sample.month]
        largest, smallest = game.played(sample.largest), game.played(sample.smallest)
        cancelled, meter = list(game.cancelled()), pipeline.meter
        return Played(month, largest, smallest, cancelled, meter.checked, meter.differing)


class _Game:
    def __init__(self, pipeline: BilledPipeline) -> None:
        self._pipeline = pipeline

    def played(self, invoice: Invoice, *, cancelled: bool = False) -> PlayedOrder:
        order_id = self._pipeline.place(invoice)
        if cancelled:
            self._pipeline.cancel(order_id)
        self._pipeline.settle()
        taken = dict(self._pipeline.meter.taken)
        self._pipeline.meter.taken.clear()
        return PlayedOrder(sum(not line.is_service for line in invoice.lines), taken)

    def cancelled(self) -> Iterable[PlayedOrder]:
        for lines in _LINES:
            yield self.played(_invoice(f"no-stock-{lines}", "20", lines))
            yield self.played(_invoice(f"cancelled-{lines}", "10", lines), cancelled=True)
            self._pipeline.declines = True
            yield self.played(_invoice(f"declined-{lines}", "10", lines))
            self._pipeline.declines = False


def _skus(begins: str, count: int) -> list[str]:
    return [f"{begins}{number:03}" for number in range(count)]


def _invoice(number: str, begins: str, lines: int) -> Invoice:
    bought = tuple(InvoiceLine(sku, 1, "2.55", "HEART HOLDER") for sku in _skus(begins, lines))
    return Invoice(number, bought, "17850", "United Kingdom")
