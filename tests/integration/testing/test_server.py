"""The served fake: its protocols, its responses to what is no call, and its end."""

import json
import signal
import socket
from collections.abc import Iterator
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest

from fakes.kinesis_server import KinesisServer, kinesis_server
from orderstream.testing.server import main

TARGET = "Kinesis_20131202."


@pytest.fixture(scope="module")
def server() -> Iterator[KinesisServer]:
    with kinesis_server("--stream", "orders", "--shards", "2", "--no-limits") as running:
        yield running


def call(server: KinesisServer, operation: str, body: bytes) -> tuple[int, Any]:
    return server.send("POST", "/", body, {"X-Amz-Target": TARGET + operation})


def test_the_stream_of_the_command_line_is_there(server: KinesisServer) -> None:
    """``--stream`` and ``--shards`` make a stream."""
    status, response = call(server, "ListShards", b'{"StreamName": "orders"}')
    assert (status, len(response["Shards"])) == (200, 2)


def test_it_keeps_no_limits_if_told_so(server: KinesisServer) -> None:
    """With ``--no-limits`` a shard takes more than a second's worth."""
    client = server.client()
    entry = {"Data": b"x", "PartitionKey": "a"}
    responses = [client.put_records(StreamName="orders", Records=[entry] * 500) for _ in range(4)]
    assert [response["FailedRecordCount"] for response in responses] == [0, 0, 0, 0]
    client.close()


def test_what_is_no_operation_says_so(server: KinesisServer) -> None:
    """An unknown target is an UnknownOperationException, with or without Kinesis' prefix."""
    for headers in ({}, {"X-Amz-Target": "DynamoDB_20120810.GetItem"}, {"X-Amz-Target": TARGET + "Nonsense"}):
        status, response = server.send("POST", "/", b"{}", headers)
        assert (status, response["__type"]) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"[]",
        b'"text"',
        b'{"Records": 5}',
        b'{"Records": [5]}',
        b'{"Data": 5}',
        b'{"Data": "abc"}',
        b"\xff",
    ],
)
def test_what_is_no_request_is_refused(server: KinesisServer, body: bytes) -> None:
    """A body that cannot be read is a SerializationException, never a failure of the server."""
    status, response = call(server, "PutRecords", body)
    assert (status, response["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("operation", "request_", "member"),
    [
        ("PutRecord", {"StreamName": "orders", "PartitionKey": "a"}, "data"),
        ("PutRecord", {"StreamName": "orders", "Data": "eA=="}, "partitionKey"),
        ("PutRecords", {"StreamName": "orders"}, "records"),
        (
            "PutRecords",
            {"StreamName": "orders", "Records": [{"Data": "eA=="}]},
            "records.1.member.partitionKey",
        ),
        ("GetRecords", {}, "shardIterator"),
        ("GetShardIterator", {"StreamName": "orders", "ShardIteratorType": "LATEST"}, "shardId"),
        (
            "SplitShard",
            {"StreamName": "orders", "ShardToSplit": "shardId-000000000000"},
            "newStartingHashKey",
        ),
        ("CreateStream", {"ShardCount": 1}, "streamName"),
    ],
)
def test_a_missing_member_is_named(
    server: KinesisServer, operation: str, request_: dict[str, Any], member: str
) -> None:
    """A request without a required member is a ValidationException that names it."""
    status, response = call(server, operation, json.dumps(request_).encode())
    assert (status, response["__type"]) == (400, "ValidationException")
    assert f"'{member}'" in response["message"]


def test_unknown_paths_are_not_found(server: KinesisServer) -> None:
    """There is nothing but the calls, the health and the faults."""
    assert server.send("GET", "/")[0] == 404
    assert server.send("POST", "/elsewhere")[0] == 404


@pytest.mark.parametrize(
    "body", [b"{", b"5", b"{}", b'{"operation": "PutRecord", "kind": "none"}', b'{"oops": 1}']
)
def test_what_is_no_fault_is_refused(server: KinesisServer, body: bytes) -> None:
    """Only faults are armed; anything else is told why not."""
    status, response = server.send("POST", "/_faults", body)
    assert status == 400
    assert response["message"].startswith("not a fault")


def test_faults_that_struck_are_counted(server: KinesisServer) -> None:
    """Who arms faults in another process can see that they struck, and how many still can."""
    fault = {"operation": "ListStreams", "error": "InternalFailure", "times": 2}
    assert server.send("POST", "/_faults", json.dumps(fault).encode())[0] == 200
    assert call(server, "ListStreams", b"{}")[0] == 500
    assert server.send("GET", "/_faults") == (200, {"pending": 1, "struck": {"reject:InternalFailure": 1}})
    assert server.send("DELETE", "/_faults")[0] == 200
    assert server.send("GET", "/_faults") == (200, {"pending": 0, "struck": {"reject:InternalFailure": 1}})


class H2Caller:
    """As little of an HTTP/2 client as a call needs: prior knowledge, no TLS."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.connection.initiate_connection()

    def call(self, operation: str, body: bytes) -> tuple[int, Any]:
        stream = self.connection.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":path", "/"),
            (":scheme", "http"),
            (":authority", "localhost"),
            ("x-amz-target", TARGET + operation),
        ]
        self.connection.send_headers(stream, headers)
        self.connection.send_data(stream, body, end_stream=True)
        status, chunks = 0, []
        while True:
            self.socket.sendall(self.connection.data_to_send())
            received = self.socket.recv(65_536)
            assert received, "the server ended the connection"
            for event in self.connection.receive_data(received):
                match event:
                    case h2.events.ResponseReceived(headers=answered):
                        status = int(dict(answered)[":status"])
                    case h2.events.DataReceived(data=data):
                        chunks.append(data)
                    case h2.events.StreamEnded():
                        return status, json.loads(b"".join(chunks))


def test_http2_is_spoken_by_prior_knowledge(server: KinesisServer) -> None:
    """Several calls over one HTTP/2 connection without TLS, as KCL makes them."""
    caller = H2Caller(server.port)
    with caller.socket:
        status, response = caller.call("ListShards", b'{"StreamName": "orders"}')
        assert (status, len(response["Shards"])) == (200, 2)
        status, response = caller.call("ListShards", b'{"StreamName": "nowhere"}')
        assert (status, response["__type"]) == (400, "ResourceNotFoundException")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_at_once_with_connections_open(number: signal.Signals) -> None:
    """With idle HTTP/1.1 and HTTP/2 connections and a call that waits in vain, it ends well within 5 s."""
    with kinesis_server("--stream", "orders") as server:
        client = server.client()
        client.list_shards(StreamName="orders")
        second = H2Caller(server.port)
        second.call("ListShards", b'{"StreamName": "orders"}')
        server.arm({"operation": "ListShards", "kind": "lose_response", "error": "ReadTimeoutError"})
        with socket.create_connection(("127.0.0.1", server.port)) as waiting, second.socket:
            body = b'{"StreamName": "orders"}'
            head = f"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: {TARGET}ListShards\r\n"
            head += f"Content-Length: {len(body)}\r\n\r\n"
            waiting.sendall(head.encode() + body)
            server.process.send_signal(number)
            assert server.process.wait(5) == 0
        client.close()


def test_account_region_and_transition_time_are_options() -> None:
    """ARNs carry account and region, and a stream takes its time."""
    options = ("--account", "123456789012", "--region", "eu-west-1", "--transition-seconds", "3600")
    with kinesis_server("--stream", "orders", *options) as server:
        status, response = call(server, "DescribeStreamSummary", b'{"StreamName": "orders"}')
        assert status == 200
        summary = response["StreamDescriptionSummary"]
        assert summary["StreamARN"] == "arn:aws:kinesis:eu-west-1:123456789012:stream/orders"
        assert summary["StreamStatus"] == "CREATING"


def test_an_account_has_twelve_digits(capsys: pytest.CaptureFixture[str]) -> None:
    """No ARN with another would be taken."""
    with pytest.raises(SystemExit):
        main(["--port", "1", "--account", "1"])
    assert "12 digits" in capsys.readouterr().err


@pytest.mark.parametrize("option", ["--certificate", "--key"])
def test_half_of_what_tls_needs_is_refused(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A certificate without its key, or a key alone, does not end in a server without TLS."""
    with pytest.raises(SystemExit) as refused:
        main(["--port", "1", option, "half.pem"])
    assert refused.value.code == 2
    assert "--certificate and --key go together" in capsys.readouterr().err
