"""A request that does not become whole is given up; whole ones are answered, on the same connection too."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import pytest
import uvicorn

from orderstream_workers.runtime.http.server import BoundedProtocol, HalfRequests

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n"

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers 200 once the body is there."""
    while (message := await receive())["type"] == "http.request" and message["more_body"]:
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
    await send({"type": "http.response.body", "body": b""})


def served(half: HalfRequests, *talks: Talk) -> None:
    """Serve while each of the talks has a connection, one after the other."""

    async def scenario() -> None:
        config = uvicorn.Config(
            app,
            http=partial(BoundedProtocol, half=half),  # type: ignore[arg-type]
            log_config=None,
            port=0,
            lifespan="off",
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server._serve())
        while not server.started:
            await asyncio.sleep(0)
        port = server.servers[0].sockets[0].getsockname()[1]
        connections = [await asyncio.open_connection("127.0.0.1", port) for _ in talks]
        for talk, (reader, writer) in zip(talks, connections, strict=True):
            await talk(reader, writer)
        for _, writer in connections:
            writer.close()
        server.should_exit = True
        await serving

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("sent", "response"),
    [(b"", b"HTTP/1.1 408"), (b"POST / HT", b"HTTP/1.1 408"), (HEAD + b"1", b"")],
    ids=["nothing", "half a head", "half a body"],
)
def test_what_does_not_become_whole_in_time_is_closed(sent: bytes, response: bytes) -> None:
    """Nothing at all, half a head, half a body: the connection ends, with a word where one can be said."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        said = await reader.read()
        assert said.startswith(response)
        assert response or not said

    served(HalfRequests(seconds=0.1), talk)


def test_the_next_request_of_a_connection_has_its_own_time() -> None:
    """A whole request is answered; half of a second one is given up as a first one would be."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):
            writer.write(HEAD + b"12")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
        writer.write(HEAD[:20])
        assert (await reader.read()).startswith(b"HTTP/1.1 408")

    served(HalfRequests(seconds=0.5), talk)


def test_of_too_many_the_oldest_is_closed() -> None:
    """Whoever comes last is served, however many hold half a request."""

    async def closed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        assert (await reader.read()).startswith(b"HTTP/1.1 408")

    async def answered(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD + b"12")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")

    served(HalfRequests(seconds=60, most=1), closed, closed, answered)
