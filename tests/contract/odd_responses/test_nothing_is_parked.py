"""A worker whose services respond oddly waits, and then does everything: nothing is parked or skipped."""

import datetime as dt
import itertools
from concurrent.futures import ThreadPoolExecutor

import pytest

from chaos.calls import Call
from fakes.engine import ARRIVAL, RecordingCheckpointer
from fakes.passing_time import PassingTime
from fakes.payments import Outbox
from hostile.adapters import MESSAGING, Clients
from hostile.responses import Delivery, Odd, Wire, outages
from hostile.server import HostileServer
from orderstream_consumer.delivery import (
    Breaker,
    DeliveryConfig,
    DeliveryTally,
    LaneProcessor,
    StoredParking,
)
from orderstream_consumer.idempotency import MessageHandler
from orderstream_consumer.processing.processor import InitializationInput, ProcessRecordsInput
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_consumer.testing import MemoryStore
from orderstream_orders.catalogue.examples import CANCELLED_ORDER, CONFIRMED_ORDER
from orderstream_workers.services.notifications import NotificationHandlers, SesMailer

SHARD = "shardId-000000000000"

# The sockets of broken responses are left to the garbage collector by http.client and urllib3.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def test_two_outcomes_are_mailed_once_each_after_every_odd_response(server: HostileServer) -> None:
    """SES' way there responds with each of the catalogue in turn; then both customers hear, each once."""
    mailer = next(operation for operation in MESSAGING if operation.name == "mailer")
    odds = [odd for odd in outages(Wire.QUERY) if odd.delivery is not Delivery.SILENT]
    responses = itertools.chain(odds, itertools.repeat(mailer.good))
    sent: list[Odd] = []

    def respond(_: Call) -> Odd:
        sent.append(next(responses))
        return sent[-1]

    server.say(respond)
    store, outbox, stop, tally = MemoryStore(), Outbox(), PassingTime(), DeliveryTally()
    parking = StoredParking(store, "notifications", lambda: ARRIVAL)
    envelopes = [*CONFIRMED_ORDER, *CANCELLED_ORDER]
    records = [
        DeliveredRecord(SHARD, Position(number), envelope.subject, envelope.encode(), ARRIVAL)
        for number, envelope in enumerate(envelopes, 1)
    ]
    with Clients(server.url) as clients, ThreadPoolExecutor(2) as executor:
        handlers = NotificationHandlers(
            store=store,
            publisher=outbox,
            mailer=SesMailer(clients.aws("ses")),
            clock=lambda: dt.datetime.now(dt.UTC),
        )
        processor = LaneProcessor(
            handler=MessageHandler(handlers.routes()),
            parking=parking,
            executor=executor,
            breaker=Breaker(stop.clock),
            tally=tally,
            stop=stop,
            config=DeliveryConfig(),
        )
        processor.initialize(InitializationInput(SHARD, None))
        checkpointer = RecordingCheckpointer()
        processor.process_records(ProcessRecordsInput(records, checkpointer, 0))
        processor.shutdown_requested(checkpointer)
    assert parking.count() == 0
    assert [odd.name for odd in sent] == [*(odd.name for odd in odds), "good", "good"]
    notified = {envelope.subject for envelope in outbox.envelopes()}
    assert notified == {CONFIRMED_ORDER[0].subject, CANCELLED_ORDER[0].subject}
