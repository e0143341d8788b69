"""The gateway passes on what it is not told to spoil, and ends what it is told to end."""

import http.client
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from chaos.calls import Call, Reply
from chaos.faults import Rates
from chaos.gateway import Gateway

SIGNED = "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/{}/aws4_request, Signature=0"


class Server(BaseHTTPRequestHandler):
    """Answers with what it was sent, and in chunks if it was asked to."""

    protocol_version = "HTTP/1.1"
    seen: list[tuple[str, bytes]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.seen.append((self.path, body))
        self.send_response(200)
        if self.path == "/chunks":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for part in (body[:3], body[3:], b""):
                self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
        else:
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def do_HEAD(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "7")
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the base class
        """Print nothing."""


class Bench:
    """A gateway in front of a server, and a caller's connection through it."""

    def __init__(self, gateway: Gateway, server: ThreadingHTTPServer, seen: list[tuple[str, bytes]]) -> None:
        self.gateway, self.seen = gateway, seen
        address = gateway.url("worker", f"http://127.0.0.1:{server.server_port}")
        self.connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=10)

    def ask(
        self, body: bytes, path: str = "/", service: str = "dynamodb", operation: str = "X.PutItem"
    ) -> bytes:
        headers = {"Authorization": SIGNED.format(service), "X-Amz-Target": operation}
        self.connection.request("POST", path, body, headers)
        return self.connection.getresponse().read()


@pytest.fixture
def bench() -> Iterator[Bench]:
    seen: list[tuple[str, bytes]] = []
    handler = type("Handler", (Server,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server, Gateway(seed=1) as gateway:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        bench = Bench(gateway, server, seen)
        try:
            yield bench
        finally:
            bench.connection.close()
            server.shutdown()
            thread.join()


def test_a_connection_is_kept_and_bodies_pass_unchanged(bench: Bench) -> None:
    """Whole bodies and chunked ones, one after the other; and a HEAD's length is not its own."""
    assert bench.ask(b"one") == b"one"
    assert bench.ask(b"in chunks", path="/chunks") == b"in chunks"
    bench.connection.request("HEAD", "/")
    head = bench.connection.getresponse()
    assert (head.read(), head.getheader("Content-Length")) == (b"", "7")
    assert bench.ask(b"") == b""


def test_a_spoiled_call_is_answered_here_and_counted(bench: Bench) -> None:
    """The server never hears of a call that was throttled."""
    bench.gateway.rates = Rates(throttle=1.0)
    assert b"Exception" in bench.ask(b"{}")
    assert bench.seen == []
    assert bench.gateway.injected == {"dynamodb:throttle": 1}


def test_a_lost_acknowledgement_was_applied(bench: Bench) -> None:
    """The server has done it, the caller hears nothing."""
    bench.gateway.rates = Rates(lost_ack=1.0)
    with pytest.raises(http.client.RemoteDisconnected):
        bench.ask(b"{}")
    assert bench.seen == [("/", b"{}")]
    assert bench.gateway.injected == {"dynamodb:lost_ack": 1}


def test_an_outage_is_one_services_and_ends(bench: Bench) -> None:
    """Nothing is done while it lasts; the others go on."""
    bench.gateway.outage("dynamodb", 60.0)
    assert bench.ask(b"{}", service="s3") == b"{}"
    with pytest.raises(http.client.RemoteDisconnected):
        bench.ask(b"{}")
    bench.gateway.outage("dynamodb", 0.0)
    assert bench.ask(b"{}") == b"{}"
    assert (len(bench.seen), bench.gateway.injected) == (2, {"dynamodb:outage": 1})


def test_a_queue_brings_a_message_again(bench: Bench) -> None:
    """What had come before stands in a later response, which is counted."""
    receive = ("/", "sqs", "AmazonSQS.ReceiveMessage")
    first = {"MaxNumberOfMessages": 10, "Messages": [{"MessageId": "a"}]}
    assert json.loads(bench.ask(json.dumps(first).encode(), *receive)) == first
    bench.gateway.rates = Rates(duplicate=1.0)
    second = json.loads(bench.ask(b'{"MaxNumberOfMessages": 10}', *receive))
    assert second["Messages"] == [{"MessageId": "a"}]
    assert bench.gateway.injected == {"sqs:duplicate": 1}


@pytest.mark.parametrize("replied", [False, True])
def test_a_moment_comes_once_and_nothing_passes_it(bench: Bench, replied: bool) -> None:
    """Before the call the server does not hear it, after the reply the caller does not."""
    ended: list[str] = []

    def moment(call: Call, reply: Reply | None) -> bool:
        return call.arguments.get("here") is True and (reply is not None) is replied

    watch = bench.gateway.watch(moment, ended.append)
    assert bench.ask(b"{}") == b"{}"
    assert not watch.hit.is_set()
    with pytest.raises(http.client.RemoteDisconnected):
        bench.ask(b'{"here": true}')
    assert (watch.hit.is_set(), ended, len(bench.seen)) == (True, ["worker"], 2 if replied else 1)
    assert bench.ask(b'{"here": true}') == b'{"here": true}'


def test_a_moment_ends_every_connection_of_its_caller(bench: Bench) -> None:
    """What a dead process had under way elsewhere is not passed on in the name of the one that follows it."""
    other = http.client.HTTPConnection(bench.connection.host, bench.connection.port, timeout=10)
    other.request("POST", "/", b"{}")
    assert other.getresponse().read() == b"{}"
    bench.gateway.watch(lambda call, reply: call.arguments.get("here") is True, lambda _: None)
    with pytest.raises(http.client.RemoteDisconnected):
        bench.ask(b'{"here": true}')
    assert other.sock is not None
    assert other.sock.recv(1) == b""
    other.close()
