"""What the coordinator says of the business: each order once, whatever is delivered again."""

import datetime as dt

import pytest

from fakes.saga_coordinator import CAPTURED, ORDER, PLACED, REFUNDED, REJECTED, RESERVED, Coordinator
from orderstream.messages import initial
from orderstream_orders.contracts import CANCELLATION_REASONS, OrderShipped, StepOverdue
from orderstream_workers.services.saga.metrics import METRICS, OTHER, reason_label


@pytest.fixture
def coordinator() -> Coordinator:
    return Coordinator()


def confirm(coordinator: Coordinator) -> None:
    coordinator.hear(PLACED, arrival=coordinator.now)
    coordinator.reply("reserve_stock:1", RESERVED)
    coordinator.reply("capture_payment:1", CAPTURED)
    coordinator.now += dt.timedelta(seconds=90)
    coordinator.reply("ship_order:1", OrderShipped(order_id=ORDER, shipment_id="s-1"))


def test_an_order_is_accepted_and_confirmed_once(coordinator: Coordinator) -> None:
    """Its latency is the stream's time of the order to the time of the last decision."""
    confirm(coordinator)
    for _ in range(2):
        coordinator.hear(PLACED, 1)  # a redelivery is no second order
    meter = coordinator.meter
    assert meter.sum("Accepted") == meter.sum("Confirmed") == 1
    assert meter.values["OrderLatency",] == [90_000]
    assert len(meter.values["CostPerOrder",]) == 1
    assert 3e-5 < meter.sum("CostPerOrder") < 3e-4
    assert meter.sum("Compensations") == 0


def test_a_cancelled_order_names_its_reason_and_its_compensations(coordinator: Coordinator) -> None:
    """The payment that was captured is given back: one compensation, one cancellation."""
    coordinator.hear(PLACED, arrival=coordinator.now)
    coordinator.reply("capture_payment:1", CAPTURED)
    coordinator.reply("reserve_stock:1", REJECTED)
    coordinator.reply("capture_payment:2", REFUNDED)
    meter = coordinator.meter
    assert meter.sum("Cancelled", "out_of_stock") == 1
    assert meter.sum("Compensations") == 1
    assert meter.sum("Confirmed") == 0
    assert len(meter.values["OrderLatency",]) == 1


def test_a_reply_that_is_overdue_is_counted_by_its_step(coordinator: Coordinator) -> None:
    """Before the pivot, too, where nobody is called: the order is cancelled by itself."""
    coordinator.hear(PLACED, arrival=coordinator.now)
    coordinator.now += dt.timedelta(hours=1)
    late = initial(
        StepOverdue(order_id=ORDER, step="reserve_stock", attempt=1),
        source="saga",
        event_id="late",
        time=coordinator.now,
    )
    coordinator.hear(late, arrival=coordinator.now)
    assert coordinator.meter.sum("SagaOverdue", "reserve_stock") == 1


def test_what_is_not_committed_is_not_counted(coordinator: Coordinator) -> None:
    """An order whose outputs could not be published is committed, and counted by the first delivery alone."""
    with pytest.raises(Exception, match="no reply"):
        coordinator.hear_while_the_stream_is_away(PLACED, 1)
    coordinator.hear(PLACED, 1)
    assert coordinator.meter.sum("Accepted") == 1


def test_labels_of_reasons_are_a_closed_list() -> None:
    """A reason that no contract lists, such as a provider's own, makes no metric of its own."""
    assert [reason_label(reason) for reason in CANCELLATION_REASONS] == list(CANCELLATION_REASONS)
    assert reason_label("the moon is full") == OTHER


def test_everything_declared_is_measured_and_nothing_else() -> None:
    """The declarations are what alarms, tables and the bill are made of."""
    measured: set[str] = set()
    for play in (
        test_an_order_is_accepted_and_confirmed_once,
        test_a_cancelled_order_names_its_reason_and_its_compensations,
        test_a_reply_that_is_overdue_is_counted_by_its_step,
    ):
        coordinator = Coordinator()
        play(coordinator)
        measured |= set(coordinator.meter.metrics)
    assert measured == {metric.name for metric in METRICS}
