"""A reader by enhanced fan-out over a real socket: of a served stream, and of one that is silent."""

import json
import threading
import zlib
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import boto3
import msgspec
import pytest

from fakes.kinesis_server import kinesis_server
from fakes.sizing_cli import run
from shard_sizing.errors import InputError
from shard_sizing.live.fan_out import FanOut
from shard_sizing.model.workload.measured import Measured

ARN = "arn:aws:kinesis:us-east-1:000000000000:stream/orders"
ANSWERS: dict[str, dict[str, Any]] = {
    "DescribeStreamSummary": {"StreamDescriptionSummary": {"StreamARN": ARN, "StreamName": "orders"}},
    "RegisterStreamConsumer": {"Consumer": {"ConsumerARN": f"{ARN}/consumer/c:1"}},
    "DescribeStreamConsumer": {"ConsumerDescription": {"ConsumerStatus": "ACTIVE"}},
    "DeregisterStreamConsumer": {},
    "ListShards": {
        "Shards": [
            {
                "ShardId": "shardId-000000000000",
                "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)},
                "SequenceNumberRange": {"StartingSequenceNumber": "1"},
            }
        ]
    },
}


def message(event: str, payload: bytes) -> bytes:
    """A message of an event stream: lengths, their checksum, headers, payload, checksum of it all."""
    headers = b""
    for name, value in ((":event-type", event), (":content-type", "json"), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07"
        headers += len(value).to_bytes(2, "big") + value.encode()
    prelude = (16 + len(headers) + len(payload)).to_bytes(4, "big") + len(headers).to_bytes(4, "big")
    prelude += zlib.crc32(prelude).to_bytes(4, "big")
    whole = prelude + headers + payload
    return whole + zlib.crc32(whole).to_bytes(4, "big")


class SilentKinesis(ThreadingHTTPServer):
    """Subscribes, and then says nothing until it is told to."""

    daemon_threads = True

    def __init__(self) -> None:
        self.subscribed, self.goes_on = threading.Event(), threading.Event()
        super().__init__(("127.0.0.1", 0), _Handler)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: SilentKinesis

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.send_response(200)
        self.send_header("x-amzn-RequestId", "r-1")
        if operation != "SubscribeToShard":
            body = json.dumps(ANSWERS[operation]).encode()
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            return
        self.send_header("Content-Type", "application/vnd.amazon.eventstream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        first = message("initial-response", b"{}")
        self.wfile.write(b"%x\r\n%b\r\n" % (len(first), first))
        self.server.subscribed.set()
        self.server.goes_on.wait(60)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def kinesis() -> Iterator[SilentKinesis]:
    """The server, while the test runs."""
    with SilentKinesis() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.goes_on.set()
        server.shutdown()
        thread.join()


def test_the_end_does_not_wait_for_a_silent_stream(kinesis: SilentKinesis) -> None:
    """The reader is woken by its socket; an idle shard's next event may be seconds away."""
    client = boto3.client(
        "kinesis",
        region_name="us-east-1",
        endpoint_url=f"http://127.0.0.1:{kinesis.server_address[1]}",
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )

    def read() -> None:
        with FanOut(client, "orders") as fan_out:
            records = fan_out.read(1)

            def read_on() -> None:
                with suppress(InputError):  # its subscription ends with the test
                    list(records)

            reading = threading.Thread(target=read_on, daemon=True)
            reading.start()
            assert kinesis.subscribed.wait(20)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(20)
    ended_in_silence = not reader.is_alive() and not kinesis.goes_on.is_set()
    kinesis.goes_on.set()
    client.close()
    assert ended_in_silence


def test_a_live_stream_is_measured_by_fan_out(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """``measure --efo`` sees what was put while it reads, and its consumer is gone afterwards."""
    with kinesis_server("--stream", "orders", "--shards", "2") as server:
        monkeypatch.setenv("AWS_ENDPOINT_URL_KINESIS", server.url)
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH", server.url)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "test")
        client, put, over = server.client(), [], threading.Event()

        def produce() -> None:
            while not over.wait(0.02):
                key = f"order-{len(put)}"
                client.put_record(StreamName="orders", PartitionKey=key, Data=b"x" * 100)
                put.append(key)

        producing = threading.Thread(target=produce)
        producing.start()
        done = run("measure", "orders", "--efo", "--seconds", "2", "--out", str(tmp_path / "live.json"))
        over.set()
        producing.join()
        summary = client.describe_stream_summary(StreamName="orders")["StreamDescriptionSummary"]
        client.close()
    assert done.exit_code == 0, done.stderr
    assert "this reads by enhanced fan-out: 2 consumer-shard-hours, 0.030 USD" in done.stderr
    found = msgspec.json.decode((tmp_path / "live.json").read_bytes(), type=Measured)
    assert 10 <= found.records <= len(put)
    assert [shard.behind_millis for shard in found.shards] == [0, 0]
    assert summary["ConsumerCount"] == 0
