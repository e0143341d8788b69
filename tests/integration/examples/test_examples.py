"""The examples run as they stand, against a Kinesis on the loopback address."""

import asyncio
import importlib.util
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import httpx
import pytest

from fakes.kpl import TinyClient
from fakes.kpl_http import served

EXAMPLES = Path(__file__).parents[3] / "producers" / "examples"


@pytest.fixture
def kinesis(monkeypatch: pytest.MonkeyPatch) -> Iterator[TinyClient]:
    client = TinyClient(shards=2)
    with served(client) as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", server.url)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
        monkeypatch.setenv("STREAM", "orders")
        yield client


def example(name: str) -> Any:
    spec = importlib.util.spec_from_file_location(f"example_{name}", EXAMPLES / f"{name}.py")
    assert spec
    assert spec.loader
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_example_is_tested() -> None:
    """A new example needs a test here."""
    assert {path.stem for path in EXAMPLES.glob("*.py")} == {
        "asyncio_service",
        "lambda_handler",
        "script",
        "starlette_app",
    }


def test_the_script_puts_its_lines(kinesis: TinyClient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line becomes a record under its own key."""
    monkeypatch.setattr(sys, "stdin", io.StringIO("order-1\tplaced\norder-1\tpaid\n"))
    assert example("script").main("orders") == 2
    assert kinesis.payloads == [b"placed", b"paid"]


def test_the_asyncio_service_puts_all_at_once(kinesis: TinyClient) -> None:
    """All orders arrive, spread over the shards."""
    assert asyncio.run(example("asyncio_service").main("orders", orders=50)) == 2
    assert len(kinesis.payloads) == 50


def test_the_web_application_answers_once_kinesis_has_the_order(kinesis: TinyClient) -> None:
    """202 names the place in the stream; the producer ends with the application."""
    app = example("starlette_app").app

    async def put() -> httpx.Response:
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport) as client:
            return await client.put("http://shop/orders/order-1", content=b"an order")

    answer = asyncio.run(put())
    assert answer.status_code == 202
    assert answer.json()["shard"].startswith("shardId-")
    assert kinesis.payloads == [b"an order"]


def test_the_lambda_function_flushes_each_invocation(kinesis: TinyClient) -> None:
    """When the handler returns the records are in Kinesis; the next invocation uses the same producer."""
    module = example("lambda_handler")
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 30_000)
    event = {"orders": [{"order_id": "order-1"}, {"order_id": "order-2"}]}
    assert module.handler(event, context) == {"delivered": 2}
    assert len(kinesis.payloads) == 2
    assert module.handler(event, context) == {"delivered": 2}
    assert len(kinesis.payloads) == 4
    assert module.producer.cache_info().misses == 1
    assert module.producer().close(10) == ()
