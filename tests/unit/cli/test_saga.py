"""What an operator sees of orders on their way."""

import datetime as dt
import json

import msgspec
from click.testing import CliRunner, Result

from fakes.delivery import delivered
from fakes.messages import envelope_of
from fakes.operating import NOW, MemoryResources
from fakes.payments import received, refund_command
from orderstream.messages import Envelope, decode_envelope
from orderstream_consumer.idempotency import CollectingPublisher
from orderstream_consumer.store import Add, Delete, Put
from orderstream_orders.contracts import (
    Customer,
    OrderShipped,
    PaymentRefunded,
    ReleaseStock,
    ReserveStock,
    ShipOrder,
    StepResolved,
    StockLine,
)
from orderstream_workers.cli.saga import saga
from orderstream_workers.operations.open_orders import RECORDED_BY_HAND
from orderstream_workers.services.inventory import InventoryHandlers, read_stock, seed_stock
from orderstream_workers.services.payments import PaymentHandlers
from orderstream_workers.services.payments.domain import Payment
from orderstream_workers.services.payments.domain import Phase as PaymentPhase
from orderstream_workers.services.payments.records import PAYMENTS, PaymentRecord
from orderstream_workers.services.saga import NotWaitingError
from orderstream_workers.services.saga.definition import step_names
from orderstream_workers.services.saga.errors import UnknownOrderError
from orderstream_workers.services.saga.handlers import SAGAS, SagaRecord
from orderstream_workers.services.saga.state import Failure, Order, Phase, Progress, Saga, Status
from orderstream_workers.services.saga.timers import timer_writes
from orderstream_workers.services.shipping import ShippingHandlers
from orderstream_workers.services.shipping.by_hand import AlreadyDecidedError

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
    """A reply that is overdue, or was and has been asked for again: those may need a person."""
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
    assert (unknown.exit_code, str(unknown.exception)) == (1, "the coordinator knows no order none")


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
    assert (result.exit_code, "the coordinator has been informed" in result.output) == (0, True)
    (envelope,) = [decode_envelope(data) for data in resources.publisher.published]
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
    ids = {decode_envelope(data).id for data in resources.publisher.published}
    assert len(ids) == 1


def test_what_does_not_wait_for_a_person_is_refused() -> None:
    """Ended, not yet overdue, unknown, or not to be decided so: status 1, one sentence, and no event."""
    resources = a_world()
    for order_id, step, decision in (
        ("ended", "ship_order", "done"),
        ("fresh", "reserve_stock", "done"),
        ("stuck", "capture_payment", "refuse"),
    ):
        result = resolve(resources, order_id, step, decision, *WHY)
        assert result.exit_code == 1
        assert isinstance(result.exception, NotWaitingError)
        assert "cannot be resolved" in str(result.exception)
    assert resources.publisher.published == []


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
    assert resources.publisher.published == []


def test_an_unknown_order_is_said_to_be_unknown() -> None:
    """A mistyped id is no order that waits for nobody."""
    result = resolve(MemoryResources(), "none", "ship_order", "done", *WHY)
    assert (result.exit_code, isinstance(result.exception, UnknownOrderError)) == (1, True)
    assert "knows no order none" in str(result.exception)


def ship(resources: MemoryResources, attempt: int) -> list[Envelope]:
    """Shipping comes to a request for the order; gives what it says."""
    publisher = CollectingPublisher()
    request = envelope_of(
        ShipOrder(order_id="again", country="France", units=1),
        source="saga",
        event_id=f"ship {attempt}",
        time=NOW,
    )
    shipping = ShippingHandlers(store=resources.store, publisher=publisher, clock=resources.clock)
    shipping.decide_shipment(delivered(request, attempt))
    return [decode_envelope(data) for data in publisher.published]


def test_what_was_shipped_by_hand_is_not_shipped_again() -> None:
    """Shipping was merely down: its request stands before the decision, and finds that it is done."""
    resources = a_world()
    assert resolve(resources, "again", "ship_order", "done", *WHY).exit_code == 0
    replies = [reply for attempt in (1, 2) for reply in ship(resources, attempt)]
    assert {reply.message() for reply in replies} == {OrderShipped(order_id="again", shipment_id="by-hand")}


def test_what_shipping_has_taken_is_not_shipped_by_hand() -> None:
    """Its reply is on its way: nothing is said, and the operator learns why before a second parcel leaves."""
    resources = a_world()
    (taken,) = ship(resources, 1)
    result = resolve(resources, "again", "ship_order", "done", *WHY)
    assert (result.exit_code, isinstance(result.exception, AlreadyDecidedError)) == (1, True)
    assert "shipping has taken order 'again' itself" in str(result.exception)
    assert resources.publisher.published == []
    assert [reply.message() for reply in ship(resources, 2)] == [taken.message()]


def test_what_was_given_back_by_hand_is_not_given_back_again() -> None:
    """Payments were merely down: the refund that stands before the decision finds nothing left to do."""
    resources = MemoryResources()
    due = {"capture_payment": Progress(Status.CANCELLING, 3, LATER)}
    keep(resources, "owed", Phase.COMPENSATING, failure=Failure("customer_request"), steps=due)
    keep_captured(resources, "owed")
    assert resolve(resources, "owed", "capture_payment", "done", *WHY).exit_code == 0
    publisher = CollectingPublisher()
    payments = PaymentHandlers(
        store=resources.store, publisher=publisher, queue=resources.payment_queue, clock=resources.clock
    )
    payments.refund_payment(received(refund_command("owed"), 1))
    assert resources.payment_queue.depth() == 0, "no worker is woken, so the provider is not asked"
    (reply,) = map(decode_envelope, publisher.published)
    assert reply.message() == PaymentRefunded(
        order_id="owed", amount_minor=1230, currency="GBP", refund_id="by-hand"
    )


def keep_captured(resources: MemoryResources, order_id: str) -> None:
    payment = Payment(
        order_id=order_id,
        phase=PaymentPhase.CAPTURED,
        amount_minor=1230,
        currency="GBP",
        charge_id="ch_1",
    )
    state = msgspec.json.encode(PaymentRecord(payment=payment))
    resources.store.transact([Put(PAYMENTS.name, order_id, {"state": state, "inbox": {}}, None)])


def test_what_was_released_by_hand_is_not_released_again() -> None:
    """The units that the operator has moved back stay where they are when inventory comes to the release."""
    resources = MemoryResources()
    due = {"reserve_stock": Progress(Status.CANCELLING, 3, LATER)}
    keep(resources, "held", Phase.COMPENSATING, failure=Failure("customer_request"), steps=due)
    seed_stock(resources.store, "A", 10)
    inventory = InventoryHandlers(
        store=resources.store, publisher=CollectingPublisher(), clock=resources.clock
    ).routes()
    for index, command in enumerate(
        (
            ReserveStock(order_id="held", lines=(StockLine(sku="A", quantity=4),)),
            ReleaseStock(order_id="held"),
        )
    ):
        if index == 1:
            back = {"reserved": -4, "available": 4}
            resources.store.transact([Add("stock", "A", deltas=back, floors={"reserved": 4})])
            assert resolve(resources, "held", "reserve_stock", "done", *WHY).exit_code == 0
        event = envelope_of(command, source="saga", event_id=f"e-{index}", time=NOW)
        inventory[event.type](delivered(event, index + 1))
    (level,) = read_stock(resources.store)
    assert (level.available, level.reserved, level.balanced) == (10, 0, True)


def test_what_was_done_by_hand_can_be_recorded_for_every_step() -> None:
    """Of every version: else its owner would do the work again when its request comes."""
    assert set(RECORDED_BY_HAND) == set(step_names())
