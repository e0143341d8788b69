"""How steps of orders come to be overdue within seconds: their deadlines are moved into the past, by hand."""

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Final

import msgspec

from alarms.striking import away, wait_until
from alarms.world import World
from orderstream_consumer.idempotency.state_items import StateItems
from orderstream_consumer.store import ConditionFailedError, Item
from orderstream_workers.services.saga import SAGAS
from orderstream_workers.services.saga.handlers import SagaRecord
from orderstream_workers.services.saga.state import Progress
from orderstream_workers.services.saga.timers import conversation_of, timer_writes

_OWNERS: Final = {
    "reserve_stock": ("inventory",),
    "capture_payment": ("payments", "payment-worker"),  # the worker replies to what is in the queue
    "ship_order": ("shipping",),
}
"""By step, the processes from which a reply may come."""

_ITEMS: Final = StateItems(SAGAS.name, SagaRecord)


@contextmanager
def steps_late(world: World) -> Iterator[None]:
    """The owner of each step is away in turn while orders wait; their requests turn out to be old."""
    for step, owners in _OWNERS.items():
        with ExitStack() as gone:
            for owner in owners:
                gone.enter_context(away(world, "kinesis", owner))
            while not _noticed(world, _age(world, step), step):
                pass  # a reply that was in the stream already came first: so another order is late
    yield


def _age(world: World, step: str) -> str:
    """Make an order's request for a step one whose deadline has passed; returns the order."""
    late: list[str] = []

    def aged() -> bool:
        for item in world.store.scan(SAGAS.name):
            record = _ITEMS.state(item)
            if _progress(record, step).status.awaited and _aged(world, item, record, step):
                late.append(item.key)
                return True
        return False

    wait_until(world, aged, f"an order that waits for {step}")
    return late[0]


def _noticed(world: World, order_id: str, step: str) -> bool:
    """Wait until the saga sees that a step is overdue; False if a reply came first."""

    def progress() -> Progress:
        item = world.store.get(SAGAS.name, order_id)
        assert item is not None, "an order stays"
        return _progress(_ITEMS.state(item), step)

    def decided() -> bool:
        now = progress()
        return not now.status.awaited or (now.due is not None and now.due > dt.datetime.now(dt.UTC))

    wait_until(world, decided, f"{order_id} to be seen as overdue in {step}")
    return progress().status.awaited


def _aged(world: World, item: Item, record: SagaRecord, step: str) -> bool:
    saga = record.saga
    assert saga is not None, "a step is awaited"
    conversation = conversation_of(world.store, saga, step)
    if conversation is None:
        return False
    past = dt.datetime.now(dt.UTC) - dt.timedelta(seconds=5)
    overdue = msgspec.structs.replace(saga.step(step), due=past)
    late = msgspec.structs.replace(saga, steps={**saga.steps, step: overdue})
    aged = msgspec.structs.replace(record, saga=late)
    put = _ITEMS.put(item.key, aged, inbox=_ITEMS.inbox(item).entries, version=item.version)
    timers = timer_writes(saga, late, order_id=item.key, conversation_id=conversation)
    try:
        world.store.transact([put, *timers])
    except ConditionFailedError:
        return False  # the saga has gone on meanwhile
    return True


def _progress(record: SagaRecord, step: str) -> Progress:
    return record.saga.step(step) if record.saga else Progress()
