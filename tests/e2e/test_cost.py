"""The price of an order: a dearer pipeline is found, and what is said of an order is what it was billed."""

from dataclasses import replace
from typing import Any

import pytest

from cost.figures import Figures, dearer, mean_operations, median_order
from cost.pipeline import BilledPipeline, emulated_aws
from cost.play import Played, play
from cost.sample import Sample, sample_of_month
from e2e.running import free_base_port
from orderstream.aws.billing import unit_prices
from orderstream_consumer.store import Add, Put, Store
from orderstream_playground.demo.invoices import Invoice
from orderstream_workers.operations.order_cost import order_cost
from orderstream_workers.operations.orders import read_model_at
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.services.saga.metrics import COST_PER_ORDER

PRICES = unit_prices("us-east-1") or {}


class _OneMore:
    """A store in which each moved line is noted once more, by a write of its own."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def transact(self, writes: Any) -> None:
        self._store.transact(writes)
        for write in writes:
            if isinstance(write, Add):
                key = f"{write.key}#{len(writes)}#{id(write)}"
                self._store.transact([Put("reservations", key, {"units": 1}, None)])


class _Dearer(BilledPipeline):
    def _processor(self, name: str) -> Any:
        if name == "inventory":
            resources = self._made[name]
            resources.store = _OneMore(resources.store)
        return super()._processor(name)


def figures(played: Played) -> Figures:
    return Figures(
        "",
        "",
        "",
        median_order(played.month, PRICES),
        played.largest.usd(PRICES),
        played.smallest.usd(PRICES),
        mean_operations(played.month, PRICES),
    )


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with emulated_aws(tmp_path_factory.mktemp("cost") / "home", free_base_port()) as made:
        yield made


@pytest.fixture(scope="module")
def sample() -> Sample:
    of_month = sample_of_month()
    middle = of_month.month[9:14:2]
    return Sample(middle, of_month.month[-3], of_month.smallest)


def test_one_more_write_a_line_is_found_and_named(settings: Settings, sample: Sample) -> None:
    """The same orders cost the same twice; with one PutItem more for each line the comparison fails."""
    first, second = (figures(play(settings, again(sample, name))) for name in ("first", "second"))
    assert dearer(second, first) == []
    assert sum(second.median.values()) == pytest.approx(sum(first.median.values()), rel=0.03)
    found = dearer(figures(play(settings, again(sample, "dearer"), _Dearer)), first)
    assert any(line.startswith("median order, DynamoDB") for line in found)
    assert any("inventory, inventory.ReserveStock: dynamodb.PutItem reservations" in line for line in found)


def test_what_is_said_of_an_order_is_what_it_was_billed(settings: Settings, sample: Sample) -> None:
    """Operators' command and the saga's metric, within a tenth of what was counted for the same orders."""
    with BilledPipeline(settings) as pipeline:
        invoices = again(sample, "told").month
        pipeline.stock({line.sku for each in invoices for line in each.lines if not line.is_service})
        for invoice in invoices:
            pipeline.meter.taken.clear()
            order_id = pipeline.place(invoice)
            pipeline.settle()
            billed = sum(amount * PRICES[key.unit] for key, amount in pipeline.meter.taken.items())
            with read_model_at(settings) as read_model:
                order = read_model.order(order_id)
            assert order is not None
            assert order_cost(order, "us-east-1").estimate.total == pytest.approx(billed, rel=0.1)
            assert pipeline.measured(COST_PER_ORDER) == pytest.approx(billed, rel=0.1)


def again(sample: Sample, name: str) -> Sample:
    """The same orders under other numbers."""
    return Sample(
        tuple(_renamed(invoice, name) for invoice in sample.month),
        _renamed(sample.largest, name),
        _renamed(sample.smallest, name),
    )


def _renamed(invoice: Invoice, name: str) -> Invoice:
    return replace(invoice, number=f"{name}-{invoice.number}")
