"""What an operator sees of orders on their way."""

import datetime as dt

import msgspec
from click.testing import CliRunner, Result

from fakes.operating import NOW, MemoryResources
from orderstream.events import Customer
from orderstream_workers.cli.saga import saga
from orderstream_workers.services.saga.handlers import SAGAS, SagaRecord
from orderstream_workers.services.saga.state import Failure, Order, Phase, Progress, Saga, Status
from orderstream_workers.store import Put

LATER, EARLIER = NOW + dt.timedelta(minutes=5), NOW - dt.timedelta(hours=1)


def run(resources: MemoryResources, *arguments: str) -> Result:
    return CliRunner().invoke(saga, arguments, obj=resources)


def keep(resources: MemoryResources, order_id: str, phase: Phase, **more: object) -> None:
    order = Order(
        order_id=order_id,
        customer=Customer(email="somebody@example.com"),
        country=None,
        units=1,
        total_minor=1,
        currency="GBP",
    )
    record = SagaRecord(Saga(order=order, definition=1, phase=phase, **more))
    resources.store.transact([Put(SAGAS.name, order_id, {"state": msgspec.json.encode(record)}, None)])


def a_world() -> MemoryResources:
    resources = MemoryResources()
    keep(resources, "ended", Phase.CONFIRMED, steps={"ship_order": Progress(Status.DONE, 1)})
    keep(resources, "fresh", Phase.RUNNING, steps={"reserve_stock": Progress(Status.REQUESTED, 1, LATER)})
    keep(
        resources,
        "stuck",
        Phase.COMPENSATING,
        steps={"capture_payment": Progress(Status.CANCELLING, 2, EARLIER)},
        failure=Failure("unknown_sku", "reserve_stock"),
    )
    keep(resources, "again", Phase.COMMITTED, steps={"ship_order": Progress(Status.REQUESTED, 2, LATER)})
    return resources


def test_the_list_shows_what_has_not_ended() -> None:
    """Each open order with its phase, the first failure, and what it waits for; ended ones are left out."""
    result = run(a_world(), "list")
    assert result.exit_code == 0
    assert result.output.splitlines() == [
        "again  committed",
        "    waits for ship_order, attempt 2, due in 5m, asked again",
        "fresh  running",
        "    waits for reserve_stock, attempt 1, due in 5m",
        "stuck  compensating  unknown_sku (reserve_stock)",
        "    waits for capture_payment, attempt 2, overdue for 1h",
    ]


def test_late_orders_are_those_that_had_to_wait_too_long() -> None:
    """An answer that is overdue, or was and has been asked for again: those may need a person."""
    lines = run(a_world(), "list", "--late").output.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["again", "stuck"]
    assert run(MemoryResources(), "list", "--late").output == "no order is late\n"
    assert run(MemoryResources(), "list").output == "every order has ended\n"


def test_show_tells_every_step_and_no_personal_data() -> None:
    """One order's steps, ended or not; who ordered is nobody's business here."""
    resources = a_world()
    shown = run(resources, "show", "stuck")
    assert (shown.exit_code, "capture_payment: cancelling, attempt 2" in shown.output) == (0, True)
    assert "ship_order: done" in run(resources, "show", "ended").output
    assert "@" not in shown.output
    unknown = run(resources, "show", "none")
    assert (unknown.exit_code, unknown.output) == (1, "Error: the coordinator knows no order none\n")
