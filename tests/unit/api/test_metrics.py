"""What the orders API measures of its requests."""

from fakes.asgi import AsgiClient
from fakes.metrics import Recorded
from fakes.orders_api import BODY, World
from orderstream import EventPublisher
from orderstream_orders.api import create_app
from orderstream_orders.api.metrics import METRICS
from orderstream_orders.callers import LoopbackCallers


def test_responses_are_measured_by_status_and_probes_are_not() -> None:
    """Accepted, refused and unknown outcomes; everything declared, and nothing else."""
    world, meter = World(), Recorded()
    app = create_app(
        publisher=EventPublisher(world.producer, source="orders"),
        idempotency_store=world.store,
        authentication=LoopbackCallers(),
        clock=world.tick,
        meter=meter,
    )
    with AsgiClient(app) as client:
        assert client.post("/orders", json=BODY, headers={"Idempotency-Key": "k-1"}).status_code == 202
        assert client.post("/orders", json=BODY).status_code == 400
        world.store.failures = world.store.read_failures = 100
        assert client.post("/orders", json=BODY, headers={"Idempotency-Key": "k-2"}).status_code == 503
        assert client.get("/health").status_code == 200
    assert {name: meter.sum("Responses", name) for name in ("2xx", "4xx", "5xx")} == {
        "2xx": 1,
        "4xx": 1,
        "5xx": 1,
    }
    assert meter.sum("UnknownOutcomes") == 1
    assert len(meter.values["Latency",]) == 3
    assert set(meter.metrics.values()) == set(METRICS)
