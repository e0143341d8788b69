"""The fake over HTTP: Kinesis' JSON protocol, and faults on demand for tests in other processes."""

import asyncio
import uuid
from base64 import b64decode
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from orderstream.testing import eventstream
from orderstream.testing.errors import KinesisError
from orderstream.testing.fake import LOOK_SECONDS, FakeKinesis
from orderstream.testing.faults import Fault, faults_from_json
from orderstream.testing.operations.consumers import event_shape
from orderstream.testing.state.consumers import Event, Subscription
from orderstream.testing.validation.shapes import check_types

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

_TARGET: Final = b"x-amz-target"
_PREFIX: Final = "Kinesis_20131202."
_JSON: Final = b"application/x-amz-json-1.1"
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder()


class KinesisApp:
    """An ASGI application.

    ``POST /`` takes Kinesis' calls, ``GET /health`` returns 200, ``POST /_faults`` arms one fault or a list
    of them (JSON, fields as in ``Fault``), ``DELETE /_faults`` disarms all, ``GET /_faults`` returns how many
    can still strike, and how often which have struck.

    Args:
        kinesis: What it serves.
    """

    def __init__(self, kinesis: FakeKinesis) -> None:
        self._kinesis = kinesis

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's event."""
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        match scope["method"], scope["path"]:
            case "GET", "/health":
                await _response(send, 200, {"healthy": True})
            case "POST", "/_faults":
                await self._arm(body, send)
            case "GET", "/_faults":
                faults = self._kinesis.faults
                await _response(send, 200, {"pending": len(faults.pending), "struck": dict(faults.struck)})
            case "DELETE", "/_faults":
                self._kinesis.faults.clear()
                await _response(send, 200, {})
            case "POST", "/":
                await self._call(scope, body, receive, send)
            case _:
                await _response(send, 404, {"message": "Kinesis' calls are POST /"})

    async def _arm(self, body: bytes, send: Send) -> None:
        try:
            faults = faults_from_json(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            await _response(send, 400, {"message": f"not a fault: {error}"})
            return
        self._kinesis.faults.add(*faults)
        await _response(send, 200, {"armed": len(faults)})

    async def _call(self, scope: Scope, body: bytes, receive: Receive, send: Send) -> None:
        target = next((value for name, value in scope["headers"] if name == _TARGET), b"").decode("latin-1")
        try:
            operation = _operation(target)
            outcome = self._kinesis.call(operation, _request(operation, body))
        except KinesisError as error:
            await _response(send, error.status, {"__type": error.code, "message": error.message})
            return
        if outcome.delay:
            await asyncio.sleep(outcome.delay)
        if outcome.lost is None and isinstance(opened := outcome.response.get("EventStream"), Subscription):
            await self._send_events(opened, receive, send)
        elif outcome.lost is None:
            await _response(send, 200, outcome.response)
        else:
            await _lose(outcome.lost, scope, receive, send)

    async def _send_events(self, opened: Subscription, receive: Receive, send: Send) -> None:
        """Send a subscription's events until it is over or the caller has gone."""
        headers = [
            (b"content-type", eventstream.CONTENT_TYPE),
            (b"x-amzn-requestid", str(uuid.uuid4()).encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await _send_on(send, eventstream.event("initial-response", b"{}"))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            while not gone.done() and (found := self._kinesis.next_event(opened)) is not None:
                if isinstance(found, Event):
                    payload = _ENCODER.encode(event_shape(opened, found))
                    await _send_on(send, eventstream.event("SubscribeToShardEvent", payload))
                else:
                    await asyncio.wait([gone], timeout=min(found, LOOK_SECONDS))
        except KinesisError as error:
            payload = _ENCODER.encode({"message": error.message})
            await _send_on(send, eventstream.exception(error.code, payload))
        finally:
            gone.cancel()
        await send({"type": "http.response.body", "body": b""})


async def _send_on(send: Send, message: bytes) -> None:
    await send({"type": "http.response.body", "body": message, "more_body": True})


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _operation(target: str) -> str:
    if not target.startswith(_PREFIX):
        raise KinesisError("UnknownOperationException", f"Not a call of Kinesis: {target!r}.")
    return target.removeprefix(_PREFIX)


def _request(operation: str, body: bytes) -> dict[str, Any]:
    try:
        request = _DECODER.decode(body) if body else {}
        if not isinstance(request, dict):
            raise KinesisError("SerializationException", "The request is no JSON object.")
        check_types(operation, request)
        for entry in (*request.get("Records", ()), request):
            if "Data" in entry:
                entry["Data"] = b64decode(entry["Data"])
    except (msgspec.DecodeError, ValueError, TypeError, RecursionError) as error:
        raise KinesisError("SerializationException", f"The request cannot be read: {error}.") from error
    return request


async def _body(receive: Receive) -> bytes:
    chunks = []
    while True:
        message = await receive()
        chunks.append(message.get("body", b""))
        if not message.get("more_body", False):
            return b"".join(chunks)


async def _response(send: Send, status: int, content: dict[str, Any]) -> None:
    body = _ENCODER.encode(content)
    headers = [
        (b"content-type", _JSON),
        (b"content-length", str(len(body)).encode()),
        (b"x-amzn-requestid", str(uuid.uuid4()).encode()),  # it distinguishes AWS from a gateway's page
    ]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _lose(fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
    """Let the caller wait until it gives up, or end its connection before the response."""
    if fault.code == "ReadTimeoutError":
        await _disconnected(receive)
    elif scope["http_version"] == "2":
        # A stream that ends short of its content-length is broken (RFC 9113, 8.1.1).
        headers = [(b"content-type", _JSON), (b"content-length", b"2")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"{"})
    else:
        # Returning without any response would make the server send a 500. After an interim 100, which callers
        # skip (RFC 9110, 15.2), it ends the connection instead.
        await send({"type": "http.response.start", "status": 100, "headers": []})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
