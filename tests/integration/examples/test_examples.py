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

from fakes.kpl import TinyClient, client_error
from fakes.kpl_http import served
from orderstream import BufferFullError, StreamUnavailableError

EXAMPLES = Path(__file__).parents[3] / "producers" / "sdk" / "examples"


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
        "fastapi_app",
        "lambda_handler",
        "script",
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


def requested(app: Any, *requests: tuple[str, Any]) -> list[httpx.Response]:
    """What the application answers to PUTs, between its start and its end."""

    async def put() -> list[httpx.Response]:
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://shop") as client,
        ):
            return [await client.put(path, json=body) for path, body in requests]

    return asyncio.run(put())


def test_the_web_application_answers_once_kinesis_has_the_order(kinesis: TinyClient) -> None:
    """202 names the position in the stream; the producer ends with the application."""
    app = example("fastapi_app").app
    (response,) = requested(app, ("/orders/order-1", {"sku": "85123A", "quantity": 6}))
    assert response.status_code == 202
    assert response.json()["shard"].startswith("shardId-")
    assert kinesis.payloads == [b'{"sku":"85123A","quantity":6}']


def test_the_web_application_refuses_what_is_no_order_and_what_finds_no_room(kinesis: TinyClient) -> None:
    """Neither reaches the stream: 422 for the one, 503 with Retry-After for the other."""
    module = example("fastapi_app")

    class Full:
        async def put(self, data: bytes, partition_key: str) -> None:
            raise BufferFullError(len(data), 0)

    module.app.dependency_overrides[module.producer_of] = Full
    order = {"sku": "85123A", "quantity": 6}
    nonsense, full = requested(module.app, ("/orders/o-1", {"quantity": 0}), ("/orders/o-1", order))
    assert nonsense.status_code == 422
    assert (full.status_code, full.headers["Retry-After"]) == (503, "1")
    assert kinesis.payloads == []


def test_the_web_application_tells_its_client_what_kinesis_could_never_take(kinesis: TinyClient) -> None:
    """A key or a body that is too long is the client's fault, and only the client can mend it."""
    app = example("fastapi_app").app
    order = {"sku": "85123A", "quantity": 6}
    long_key, large = requested(
        app, (f"/orders/{'o' * 257}", order), ("/orders/o-1", order | {"sku": "x" * 2**20})
    )
    assert (long_key.status_code, large.status_code) == (422, 413)
    assert "1 to 256 characters long, not 257" in long_key.json()["detail"]
    assert "over the limit of 1048576" in large.json()["detail"]
    assert kinesis.payloads == []


def test_the_web_application_does_not_start_without_its_stream(
    kinesis: TinyClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong name is told when the application starts, and not by its first customer."""

    def missing(**request: object) -> None:
        raise client_error("ResourceNotFoundException")

    monkeypatch.setattr(kinesis, "list_shards", missing)
    with pytest.raises(StreamUnavailableError, match="stream orders"):
        requested(example("fastapi_app").app)


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
