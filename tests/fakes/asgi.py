"""Asks an ASGI application without a server, one request after the other."""

import asyncio
from typing import Any, Self

import httpx


class AsgiClient:
    """A context manager; requests run in its own event loop."""

    def __init__(self, app: Any) -> None:
        self._client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://orders")
        self._runner = asyncio.Runner()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        return self._runner.run(self._client.get(path, **arguments))

    def post(self, path: str, **arguments: Any) -> httpx.Response:
        return self._runner.run(self._client.post(path, **arguments))

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        return self._runner.run(self._client.request(method, path, **arguments))
