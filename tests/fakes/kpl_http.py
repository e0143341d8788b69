"""The tiny Kinesis behind HTTP, for a real boto3 client: two operations in JSON, and lost responses."""

import base64
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from botocore.exceptions import ClientError

from fakes.kpl import TinyClient


class TinyServer(ThreadingHTTPServer):
    """Serves a TinyClient's Kinesis; takes the next ``answers_to_lose`` PutRecords without answering.

    ``instead`` holds, by operation, bytes that go out in place of the next answers, and the connection ends.
    """

    daemon_threads = True

    def __init__(self, client: TinyClient) -> None:
        super().__init__(("127.0.0.1", 0), TinyHandler)
        self.client = client
        self.responses_to_lose = 0
        self.instead: dict[str, list[bytes]] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class TinyHandler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: TinyServer

    def do_POST(self) -> None:
        operation = self.headers["X-Amz-Target"].removeprefix("Kinesis_20131202.")
        request: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.instead.get(operation):
            self.wfile.write(self.server.instead[operation].pop(0))
            self.close_connection = True
            return
        try:
            status, response = 200, self.perform(operation, request)
        except ClientError as error:
            response = error.response
            status = response["ResponseMetadata"]["HTTPStatusCode"]
            response = {"__type": response["Error"]["Code"], "message": response["Error"]["Message"]}
        if operation == "PutRecords" and self.server.responses_to_lose:
            self.server.responses_to_lose -= 1
            self.close_connection = True
            return
        body = json.dumps(response).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def perform(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if operation == "ListShards":
            return self.server.client.list_shards(**request)
        assert operation == "PutRecords"
        for entry in request["Records"]:
            entry["Data"] = base64.b64decode(entry["Data"])
        return self.server.client.put_records(**request)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class' name
        """Keep the tests' output quiet."""


@contextmanager
def served(client: TinyClient) -> Iterator[TinyServer]:
    """Serve on a free port until the block ends."""
    with TinyServer(client) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
