"""The calls of the stock bridge, and those by which the demo gets what it enters in its books."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hostile.adapters.operation import Clients, Make, Operation, said
from hostile.responses import Odd, Wire, good
from orderstream_playground.demo.emulated import alerts, ledger, mails, provider_stats
from orderstream_playground.demo.parts import BucketArchive
from orderstream_playground.local.stock_bridge import StockBridge
from orderstream_workers.services.archiver import S3ObjectStore

_MAIL: Final = {"messages": {"000000000000": [{"MessageId": "m-1", "Source": "orders@example.com"}]}}
_ENTRY: Final = {"order_id": "o-1", "kind": "charge", "amount_minor": 1}
_ALERT: Final = {"sku": "85123A"}


def _lines(*entries: object) -> Odd:
    body = b"".join(json.dumps(entry).encode() + b"\n" for entry in entries)
    return Odd("lines", 200, body, (("content-type", "application/x-ndjson"),))


def _archive(call: Callable[[BucketArchive], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        archive = BucketArchive(S3ObjectStore(clients.aws("s3"), "archive"))
        return lambda: call(archive)

    return make


def _download(archive: BucketArchive) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "object"
        archive.download("a", file)
        return file.read_bytes()


def _alerts(clients: Clients) -> Callable[[], object]:
    sqs = clients.aws("sqs")
    return lambda: next(alerts(sqs, "operators"), None)


_CHANGE: Final = {
    "awsRegion": "us-east-1",
    "eventID": "e-1",
    "eventName": "MODIFY",
    "eventSource": "aws:dynamodb",
    "dynamodb": {
        "ApproximateCreationDateTime": 1_291_191_960.0,
        "Keys": {"pk": {"S": "85123A"}},
        "SequenceNumber": "100000000000000000001",
    },
}

_TABLE_ARN: Final = "arn:aws:dynamodb:us-east-1:000000000000:table/orderstream-stock"

_BRIDGED: Final = {
    "DescribeTable": said({"Table": {"LatestStreamArn": f"{_TABLE_ARN}/stream/2010-12-01"}}),
    "DescribeStream": said(
        {"StreamDescription": {"Shards": [{"ShardId": "shardId-00000000000000000000-00000001"}]}}
    ),
    "GetShardIterator": said({"ShardIterator": "i-1"}),
    "GetRecords": said({"Records": [_CHANGE], "NextShardIterator": "i-2"}),
    "PutRecords": said({"Records": [{"SequenceNumber": "1", "ShardId": "shardId-0"}]}),
}


def _bridge(clients: Clients) -> Callable[[], object]:
    folder = Path(clients.enter_context(tempfile.TemporaryDirectory()))
    made = [clients.aws(name) for name in ("dynamodb", "dynamodbstreams", "kinesis")]

    def step() -> int:
        # Begun anew each time, as after a failure: every one of its calls is made.
        bridge = StockBridge(
            dynamodb=made[0],
            changes=made[1],
            kinesis=made[2],
            table="orderstream-stock",
            stream="stock-changes",
            positions=folder / "positions.json",
        )
        return bridge.step()

    return step


DEMO: Final = (
    *(
        Operation(
            f"stock bridge {operation}",
            Wire.JSON,
            operation,
            _bridge,
            _BRIDGED[operation],
            before=_BRIDGED,
            members=(member,) if member else (),
            fine=frozenset(fine),
        )
        for operation, member, fine in (
            ("DescribeTable", "Table", ()),
            ("DescribeStream", "StreamDescription", ()),
            ("GetShardIterator", "ShardIterator", ("ShardIterator-as-text",)),
            ("GetRecords", "Records", ("Records-as-list", "Records-as-empty-text", "Records-as-object")),
            ("PutRecords", "", ()),
        )
    ),
    Operation(
        "demo mailbox",
        Wire.HTTP,
        "GET /_ministack/ses/messages",
        lambda clients: lambda: list(mails(clients.http(), clients.url)),
        good(Wire.HTTP, json.dumps(_MAIL).encode()),
        members=("messages",),
        fine=frozenset({"messages-as-object", "messages-as-nested"}),
    ),
    Operation(
        "demo ledger",
        Wire.HTTP,
        "GET /v1/ledger",
        lambda clients: lambda: list(ledger(clients.http(), clients.url)),
        _lines(_ENTRY, _ENTRY),
    ),
    Operation(
        "demo provider's figures",
        Wire.HTTP,
        "GET /v1/stats",
        lambda clients: lambda: provider_stats(clients.http(), clients.url),
        good(Wire.HTTP, b'{"requests": 5, "throttled": 0}'),
        members=("requests",),
        fine=frozenset({"requests-as-number"}),
    ),
    Operation(
        "demo alerts",
        Wire.JSON,
        "ReceiveMessage",
        _alerts,
        said({"Messages": [{"Body": json.dumps(_ALERT), "ReceiptHandle": "r"}]}),
        before={"GetQueueUrl": said({"QueueUrl": "http://127.0.0.1:9/queue"})},
        members=("Messages",),
        fine=frozenset(f"Messages-as-{kind}" for kind in ("null", "list", "empty-text", "object")),
    ),
    Operation(
        "demo archive",
        Wire.XML,
        "GET ",
        _archive(list),
        good(
            Wire.XML,
            b"<ListBucketResult><Name>archive</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
            b"<Contents><Key>a</Key></Contents></ListBucketResult>",
        ),
    ),
    Operation("demo download", Wire.XML, "GET ", _archive(_download), good(Wire.XML, b"content")),
)
