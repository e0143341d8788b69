"""Serves all of AWS on one port, as LocalStack does: in front of emulators that have a port each.

A call's signature names the service that it is for. What is not signed asks for LocalStack's own health.
"""

import asyncio
import threading
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections.abc import Mapping
from contextlib import suppress
from typing import Self
from urllib.parse import urlsplit

from chaos.calls import call_of
from chaos.http1 import Message, read_head, read_request_body, read_response

HEALTH = "/_localstack/health"
_LARGEST_HEAD = 1 << 20


class OnePort:
    """One thread that serves the port.

    Args:
        port: The port, on the loopback interface.
        servers: Base URLs by service.
        default: That of every other service.
    """

    def __init__(self, port: int, servers: Mapping[str, str], default: str) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._servers = servers
        self._default = default
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="one port", daemon=True)
        self._tasks: set[asyncio.Task[None]] = set()

    def __enter__(self) -> Self:
        """Start to serve."""
        self._thread.start()
        self._server = asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(timeout=10)
        return self

    def __exit__(self, *_: object) -> None:
        """End every connection and free the port."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=10)
        self._loop.close()

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._serve, "127.0.0.1", self._port, limit=_LARGEST_HEAD)

    async def _close(self) -> None:
        self._server.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _serve(self, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        lines: dict[str, tuple[StreamReader, StreamWriter]] = {}
        try:
            with suppress(IncompleteReadError, ConnectionError, asyncio.CancelledError):
                while (head := await read_head(reader)) is not None:
                    if head.header("expect") == "100-continue":
                        writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                    request = await read_request_body(reader, head)
                    bodiless = request.start.startswith("HEAD ")
                    response = await self._response(request, lines, bodiless=bodiless)
                    writer.write(response.encode(bodiless=bodiless))
                    await writer.drain()
        finally:
            for _, line in lines.values():
                line.close()
            writer.close()
            self._tasks.discard(task)

    async def _response(
        self, request: Message, lines: dict[str, tuple[StreamReader, StreamWriter]], *, bodiless: bool
    ) -> Message:
        if request.start.split(" ")[1] == HEALTH:
            return Message("HTTP/1.1 200 OK", (("content-type", "application/json"),), b'{"services": {}}')
        server = self._servers.get(call_of("", request).service, self._default)
        if server not in lines or lines[server][0].at_eof():
            address = urlsplit(server)
            lines[server] = await asyncio.open_connection(address.hostname, address.port, limit=_LARGEST_HEAD)
        reader, writer = lines[server]
        writer.write(request.encode())
        await writer.drain()
        response = await read_response(reader, bodiless=bodiless)
        if response.header("connection") == "close":
            writer.close()
            del lines[server]
        return response
