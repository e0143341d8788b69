"""``GET /orders/{id}?wait=`` and ``GET /orders/{id}/events``: a client need not ask again and again."""

import asyncio
import datetime as dt
import json
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine
from starlette.requests import Request

from fakes.asgi import AsgiClient
from fakes.messages import envelope_of
from fakes.metrics import Recorded
from fakes.open_orders import access_for_everyone, shown_to_anyone
from orderstream_consumer.processing.record import DeliveredRecord, Position
from orderstream_orders.api.measuring import RequestMeasuring
from orderstream_orders.contracts import Customer, OrderConfirmed, OrderPlaced, OrderShipped
from orderstream_workers.projections.order_status import Followers, ReadModel, ReadModelWriter, routes
from orderstream_workers.projections.order_status.read_model import OrderPage

AT = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
PLACED = OrderPlaced(order_id="o", customer=Customer(), country="x", lines=(), total_minor=1, currency="GBP")
SHIPPED = OrderShipped(order_id="o", shipment_id="s")
CONFIRMED = OrderConfirmed(order_id="o", customer=Customer(), total_minor=1, currency="GBP")


class AskedReadModel(ReadModel):
    """Counts how often it is asked for a page."""

    pages = 0

    def page(self, order_id: str, *, after: str | None, limit: int) -> OrderPage | None:
        self.pages += 1
        return super().page(order_id, after=after, limit=limit)


class World:
    """Order status over a clock that moves only while somebody waits, and what happens meanwhile."""

    def __init__(self, engine: Engine) -> None:
        self.now = 0.0
        self.writer = ReadModelWriter(engine)
        self.written = 0
        self.coming: list[tuple[float, Callable[[], None]]] = []
        self.stopping = False
        self.followers = Followers(
            most=2, stopping=lambda: self.stopping, monotonic=lambda: self.now, sleep=self.sleep
        )
        self.read_model = AskedReadModel(engine)
        self.app = shown_to_anyone(routes(self.read_model, access_for_everyone(), self.followers))

    def write(self, message: OrderPlaced | OrderShipped | OrderConfirmed) -> None:
        self.written += 1
        data = envelope_of(message, source="tests", event_id=f"e-{self.written}", time=AT).encode()
        self.writer.apply_batch(
            [DeliveredRecord("shardId-000000000000", Position(self.written), "o", data, AT, None)]
        )

    def at(self, time: float, message: OrderPlaced | OrderShipped | OrderConfirmed) -> None:
        self.coming.append((time, lambda: self.write(message)))

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.coming and self.coming[0][0] <= self.now:
            self.coming.pop(0)[1]()


@pytest.fixture
def world(engine: Engine) -> World:
    return World(engine)


@pytest.fixture
def client(world: World) -> Iterator[AsgiClient]:
    with AsgiClient(world.app) as client:
        yield client


def parsed(body: str) -> list[tuple[str, str | None, dict[str, object]]]:
    events = []
    for block in body.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines())
        if "data" in fields:
            events.append((fields["event"], fields.get("id"), json.loads(fields["data"])))
    return events


def test_a_wait_ends_when_the_order_has_ended(world: World, client: AsgiClient) -> None:
    """Within a second of the end, also where the order had not been read when the wait began."""
    world.at(2.0, PLACED)
    world.at(5.0, CONFIRMED)
    response = client.get("/orders/o?wait=20")
    assert (response.status_code, response.json()["state"]) == (200, "CONFIRMED")
    assert world.now <= 6.0


def test_a_wait_that_is_over_says_how_far_the_order_is(world: World, client: AsgiClient) -> None:
    """200 with the state as it is, 404 for an order that has not been read."""
    assert client.get("/orders/o?wait=3").status_code == 404
    assert world.now == 3.0
    world.write(PLACED)
    response = client.get("/orders/o?wait=3")
    assert (response.status_code, response.json()["state"], world.now) == (200, "PLACED", 6.0)


def test_nobody_waits_without_asking_for_it(world: World, client: AsgiClient) -> None:
    """The response to a question without `wait` comes at once."""
    world.write(PLACED)
    assert client.get("/orders/o").json()["state"] == "PLACED"
    assert world.now == 0.0


@pytest.mark.parametrize("wait", ["26", "-1", "x", "1.5", ""])
def test_a_wait_that_cannot_be_is_refused(client: AsgiClient, wait: str) -> None:
    """422 with the field: longer than a gateway waits, or no number of seconds."""
    response = client.get(f"/orders/o?wait={wait}")
    assert (response.status_code, response.json()["field"]) == (422, "wait")


def test_a_process_that_stops_lets_nobody_wait(world: World, client: AsgiClient) -> None:
    """What waits responds with what there is, so that a drain takes no longer."""
    world.write(PLACED)
    world.stopping = True
    assert client.get("/orders/o?wait=20").json()["state"] == "PLACED"
    assert [kind for kind, *_ in parsed(client.get("/orders/o/events").text)] == ["OrderPlaced"]
    assert world.now == 0.0


def test_more_than_may_wait_respond_at_once() -> None:
    """The third request of two that may wait gets what there is; the others get what they wait for."""

    async def play() -> list[int]:
        asked, released = 0, asyncio.Event()

        async def ask() -> int:
            nonlocal asked
            asked += 1
            return asked

        async def pause(_: float) -> None:
            await released.wait()

        followers = Followers(most=2, sleep=pause)
        request = Request({"type": "http"}, receive=asyncio.Event().wait)  # type: ignore[arg-type]
        waiting = [asyncio.create_task(followers.until(request, 9.0, ask, lambda n: n > 3)) for _ in "ab"]
        while asked < 2:
            await asyncio.sleep(0)
        third = await followers.until(request, 9.0, ask, lambda n: n > 3)
        released.set()
        return [third, *await asyncio.gather(*waiting)]

    assert asyncio.run(play()) == [3, 4, 5]


def test_events_are_sent_until_the_end(world: World, client: AsgiClient) -> None:
    """Each message once, in stream order, under its own id, and the order itself as the last event."""
    world.at(1.0, PLACED)
    world.at(4.0, SHIPPED)
    world.at(9.0, CONFIRMED)
    response = client.get("/orders/o/events")
    assert response.headers["content-type"].startswith("text/event-stream")
    events = parsed(response.text)
    assert [(kind, event_id) for kind, event_id, _ in events] == [
        ("OrderPlaced", "e-1"),
        ("OrderShipped", "e-2"),
        ("OrderConfirmed", "e-3"),
        ("ended", "e-3"),
    ]
    assert events[-1][2]["state"] == "CONFIRMED"
    assert "data" not in events[0][2]


def test_events_are_asked_for_once_a_pause(world: World, client: AsgiClient) -> None:
    """The first page is the response's beginning: what is behind it is asked for only after a pause."""
    world.write(PLACED)
    world.at(0.1, CONFIRMED)
    assert len(parsed(client.get("/orders/o/events").text)) == 3
    assert (world.read_model.pages, world.now) == (2, 0.2)


def test_a_client_that_was_cut_off_misses_nothing(world: World, client: AsgiClient) -> None:
    """From `Last-Event-ID` on; after the end there is nothing, and 204 says not to ask again."""
    world.write(PLACED)
    first = parsed(client.get("/orders/o/events").text)
    assert ([kind for kind, *_ in first], world.now) == (["OrderPlaced"], 25.0)
    world.write(SHIPPED)
    world.write(CONFIRMED)
    rest = parsed(client.get("/orders/o/events", headers={"Last-Event-ID": "e-1"}).text)
    assert [event_id for _, event_id, _ in rest] == ["e-2", "e-3", "e-3"]
    assert client.get("/orders/o/events", headers={"Last-Event-ID": "e-3"}).status_code == 204


def test_an_event_that_is_none_of_the_orders_is_refused(world: World, client: AsgiClient) -> None:
    """422 with the field: the client begins again without it."""
    world.write(PLACED)
    response = client.get("/orders/o/events", headers={"Last-Event-ID": "e-9"})
    assert (response.status_code, response.json()["field"]) == (422, "Last-Event-ID")


def test_a_wait_is_no_latency(world: World) -> None:
    """What a client waits for of its own accord raises no alarm about the API."""
    world.write(PLACED)
    meter = Recorded()
    with AsgiClient(RequestMeasuring(world.app, meter=meter, monotonic=lambda: world.now)) as client:
        client.get("/orders/o?wait=20")
        client.get("/orders/o/events")
    assert world.now == 45.0
    assert meter.values["Latency",] == [0.0, 0.0]
