"""What an operator sees of orders on their way."""

import datetime as dt
import json

import msgspec
from click.testing import CliRunner, Result

from fakes.operating import NOW, MemoryResources
from orderstream.events import Customer, StepResolved, decode_envelope
from orderstream_workers.cli.saga import saga
from orderstream_workers.services.saga import NotWaitingError
from orderstream_workers.services.saga.handlers import SAGAS, SagaRecord
from orderstream_workers.services.saga.state import Failure, Order, Phase, Progress, Saga, Status
from orderstream_workers.services.saga.timers import timer_writes
from orderstream_workers.store import Delete, Put

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
    saga = Saga(order=order, definition=1, phase=phase, **more)
    state = Put(SAGAS.name, order_id, {"state": msgspec.json.encode(SagaRecord(saga))}, None)
    timers = timer_writes(None, saga, order_id=order_id, conversation_id=f"talk of {order_id}")
    resources.store.transact([state, *timers])


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
        "ORDER  PHASE         FAILURE",
        "again  committed",
        "    waits for ship_order, attempt 2, due in 5m, asked again; to resolve: done or refuse",
        "fresh  running",
        "    waits for reserve_stock, attempt 1, due in 5m",
        "stuck  compensating  unknown_sku (reserve_stock)",
        "    waits for capture_payment, attempt 2, overdue for 1h",
    ]


def test_late_orders_are_those_that_had_to_wait_too_long() -> None:
    """An answer that is overdue, or was and has been asked for again: those may need a person."""
    lines = run(a_world(), "list", "--late").output.splitlines()
    assert [line.split()[0] for line in lines if not line.startswith(" ")] == ["ORDER", "again", "stuck"]
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


def test_programs_read_json() -> None:
    """The same as data, times in RFC 3339; who ordered is not in it."""
    resources = a_world()
    orders = {one["order_id"]: one for one in json.loads(run(resources, "list", "--late", "--json").output)}
    assert set(orders) == {"again", "stuck"}
    assert orders["stuck"]["failure"] == {"reason": "unknown_sku", "step": "reserve_stock"}
    (waits,) = orders["again"]["waits_for"]
    assert (waits["step"], waits["decisions"], waits["overdue"]) == ("ship_order", ["done", "refuse"], False)
    assert dt.datetime.fromisoformat(waits["due"]) == LATER
    shown = run(resources, "show", "ended", "--json").output
    assert json.loads(shown)["steps"] == {"ship_order": {"status": "done", "attempt": 1}}
    assert "@" not in shown


def resolve(resources: MemoryResources, order_id: str, step: str, decision: str, *more: str) -> Result:
    return run(resources, "resolve", order_id, "--step", step, "--decision", decision, *more)


WHY = ("--reason", "the carrier says so", "--operator", "night-shift")


def test_a_decision_goes_through_the_stream() -> None:
    """It is an event on the order's key with who and why, and what is stored stays as it is."""
    resources = a_world()
    before = list(resources.store.scan(SAGAS.name))
    result = resolve(resources, "again", "ship_order", "refuse", *WHY)
    assert (result.exit_code, "the coordinator has been told" in result.output) == (0, True)
    (envelope,) = [decode_envelope(data) for data in resources.emitter.emitted]
    assert envelope.message() == StepResolved(
        order_id="again",
        step="ship_order",
        attempt=2,
        decision="refuse",
        operator="night-shift",
        reason="the carrier says so",
    )
    assert (envelope.source, envelope.conversation_id) == ("operators", "talk of again")
    assert list(resources.store.scan(SAGAS.name)) == before


def test_the_same_decision_twice_is_one_event() -> None:
    """Running the command again repeats the id, so that the coordinator hears it once."""
    resources = a_world()
    for _ in range(2):
        assert resolve(resources, "again", "ship_order", "done", *WHY).exit_code == 0
    ids = {decode_envelope(data).id for data in resources.emitter.emitted}
    assert len(ids) == 1


def test_what_does_not_wait_for_a_person_is_refused() -> None:
    """Ended, not yet overdue, unknown, or not to be decided so: status 1, one sentence, and no event."""
    resources = a_world()
    for order_id, step, decision in (
        ("ended", "ship_order", "done"),
        ("fresh", "reserve_stock", "done"),
        ("stuck", "capture_payment", "refuse"),
        ("none", "ship_order", "done"),
    ):
        result = resolve(resources, order_id, step, decision, *WHY)
        assert result.exit_code == 1
        assert isinstance(result.exception, NotWaitingError)
        assert "cannot be resolved" in str(result.exception)
    assert resources.emitter.emitted == []


def test_a_deadline_that_has_just_passed_is_no_moment_to_decide() -> None:
    """Its row is gone, so the request is being made again: the operator looks once more."""
    resources = a_world()
    for row in resources.store.scan("saga-timers"):
        resources.store.transact([Delete(row.table, row.key, row.version, sort=row.sort)])
    assert isinstance(resolve(resources, "again", "ship_order", "done", *WHY).exception, NotWaitingError)


def test_a_decision_needs_a_reason() -> None:
    """Without one, or with an empty one, nothing is done."""
    resources = a_world()
    assert resolve(resources, "again", "ship_order", "done").exit_code == 2
    assert resolve(resources, "again", "ship_order", "done", "--reason", " ").exit_code == 2
    assert resources.emitter.emitted == []
