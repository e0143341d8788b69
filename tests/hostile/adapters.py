"""Every call that an adapter makes, through its real client: what it needs, and what it makes of failures."""

import datetime as dt
import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Final

import boto3
import httpx
from botocore.config import Config

from chaos.calls import Call
from hostile.responses import Odd, Wire, good
from orderstream.api.idempotency import Accepted
from orderstream.api.idempotency_dynamodb import DynamoDBIdempotencyStore
from orderstream.errors import DependencyError
from orderstream_workers.engine.leases import DynamoDBLeaseTable, Lease
from orderstream_workers.engine.leases.items import lease_to_item
from orderstream_workers.engine.retrieval.calls import IssueIterator, ReadRecords, Refusal
from orderstream_workers.engine.retrieval.kinesis import KinesisReader
from orderstream_workers.services.archiver import S3ObjectStore
from orderstream_workers.services.notifications import SesMailer, SnsOperators
from orderstream_workers.services.notifications.domain import Mail
from orderstream_workers.services.notifications.operators import LowStockAlert
from orderstream_workers.services.payments import SqsPaymentQueue
from orderstream_workers.services.payments.domain import Charge, Refund
from orderstream_workers.services.payments.http_provider import HttpPaymentProvider
from orderstream_workers.services.payments.queue import QueuedPayment
from orderstream_workers.store import Add, Delete, DynamoDBStore, Put

QUEUE: Final = "/000000000000/payments"


Make = Callable[["Clients"], Callable[[], object]]
"""Gives a call, for a server's clients."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one adapter.

    Attributes:
        name: Adapter and operation.
        wire: How its service speaks.
        operation: As ``Call`` names it, or how its name begins.
        make: Gives the call, for a server's clients. The call raises what the adapter raises.
        good: What the service responds to it.
        before: What the service responds to the calls that come first, by operation.
        members: Members of the response that it reads.
        fine: Names of responses that say, by the protocol's own rules, that there is nothing.
    """

    name: str
    wire: Wire
    operation: str
    make: Make
    good: Odd
    before: dict[str, Odd] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    fine: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Its name."""
        return self.name

    def respond(self, odd: Odd) -> Callable[[Call], Odd]:
        """Respond with this to the operation itself, and as the service would to all others."""

        def chosen(call: Call) -> Odd:
            if call.operation.startswith(self.operation):
                return odd
            return next(
                (said for name, said in self.before.items() if call.operation.startswith(name)), self.good
            )

        return chosen


class Clients(ExitStack):
    """Clients of one server, closed at the end.

    Args:
        url: Where the server is.
        patience: Seconds that they wait for a response.
    """

    def __init__(self, url: str, patience: float = 30.0) -> None:
        super().__init__()
        self.url = url
        self.patience = patience

    def aws(self, service: str) -> Any:
        """A boto3 client without retries of its own, as every adapter wants it."""
        made = boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=self.patience,
                s3={"addressing_style": "path"},
            ),
        )
        self.callback(made.close)
        return made

    def http(self) -> httpx.Client:
        """A client for everything else."""
        return self.enter_context(httpx.Client(trust_env=False))


def said(content: object) -> Odd:
    """What a service with JSON says."""
    return good(Wire.JSON, json.dumps(content).encode())


def _item(**attributes: Any) -> dict[str, Any]:
    return {"pk": {"S": "o-1"}, "version": {"N": "1"}, **attributes}


def _store(call: Callable[[DynamoDBStore], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        store = DynamoDBStore(clients.aws("dynamodb"), "orderstream-")
        return lambda: call(store)

    return make


_LEASE: Final = Lease(lease_key="shardId-000000000000", starting_hash_key=0, ending_hash_key=2**128 - 1)
_TAKEN: Final = Lease(
    lease_key="shardId-000000000000",
    starting_hash_key=0,
    ending_hash_key=2**128 - 1,
    lease_owner="w-1",
    lease_counter=1,
)


def _leases(call: Callable[[DynamoDBLeaseTable], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        table = DynamoDBLeaseTable(clients.aws("dynamodb"), "orderstream-saga-consumer")
        return lambda: call(table)

    return make


def _accepted(call: Callable[[DynamoDBIdempotencyStore], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        store = DynamoDBIdempotencyStore(clients.aws("dynamodb"), "orderstream-idempotency-keys")
        return lambda: call(store)

    return make


_ACCEPTED: Final = Accepted(
    digest="d", placed_at=dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC), event_id="e-1"
)
_ACCEPTED_ITEM: Final = {
    "pk": {"S": "o-1"},
    "digest": {"S": "d"},
    "placed_at": {"S": "2010-12-01T08:26:00+00:00"},
    "event_id": {"S": "e-1"},
}


def _queue(call: Callable[[SqsPaymentQueue], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        queue = SqsPaymentQueue(clients.aws("sqs"), clients.url + QUEUE)
        return lambda: call(queue)

    return make


def _look_up(clients: Clients) -> Callable[[], object]:
    sqs = clients.aws("sqs")
    return lambda: SqsPaymentQueue.named(sqs, "payments").send("o-1")


_MESSAGE: Final = QueuedPayment("o-1", "receipt", 1)
_MAIL: Final = Mail(recipient="a@example.com", subject="Your order", body="is here")
_ALERT: Final = LowStockAlert(
    event_id="e-1", sku="85123A", available=1, threshold=9, at="2010-12-01T08:26:00+00:00"
)
_MAILED: Final = (
    b"<SendEmailResponse><SendEmailResult><MessageId>m-1</MessageId></SendEmailResult>"
    b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></SendEmailResponse>"
)
_PUBLISHED: Final = (
    b"<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult>"
    b"<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>"
)


def _reader(call: Callable[[KinesisReader], object]) -> Make:
    """The engine's reader says what stands in the way; here it raises, unless it is over with the shard."""

    def make(clients: Clients) -> Callable[[], object]:
        kinesis = clients.aws("kinesis")
        reader = KinesisReader(kinesis, "orders", max_records=10, now=lambda: dt.datetime.now(dt.UTC))

        def raising() -> object:
            answer = call(reader)
            if answer in {Refusal.UNREACHABLE, Refusal.THROTTLED}:
                raise DependencyError(
                    "kinesis", "read", str(answer), region="us-east-1", endpoint=clients.url
                )
            return answer

        return raising

    return make


def _archive(call: Callable[[S3ObjectStore], object], *, proven: bool = True) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        objects = S3ObjectStore(clients.aws("s3"), "archive")
        objects._keeps_condition = proven
        return lambda: call(objects)

    return make


def _provider(call: Callable[[HttpPaymentProvider], object]) -> Make:
    def make(clients: Clients) -> Callable[[], object]:
        provider = HttpPaymentProvider(clients.http(), clients.url, timeout=httpx.Timeout(clients.patience))
        return lambda: call(provider)

    return make


_SHARD: Final = {
    "ShardId": "shardId-000000000000",
    "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": str(2**128 - 1)},
    "SequenceNumberRange": {"StartingSequenceNumber": "1"},
}
_NOTHING_READ: Final = frozenset({"Item-as-null"})
_NO_MESSAGES: Final = frozenset(f"Messages-as-{kind}" for kind in ("null", "list", "empty-text", "object"))

_TWO: Final = [Put("t", "a", {}, None), Put("t", "b", {}, None)]

DYNAMODB: Final = (
    Operation(
        "store get",
        Wire.JSON,
        "GetItem",
        _store(lambda store: store.get("t", "o-1")),
        said({"Item": _item()}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
    Operation(
        "store get_many",
        Wire.JSON,
        "BatchGetItem",
        _store(lambda store: store.get_many("t", ["o-1"])),
        said({"Responses": {"orderstream-t": [_item()]}, "UnprocessedKeys": {}}),
        members=("Responses",),
    ),
    Operation(
        "store query",
        Wire.JSON,
        "Query",
        _store(lambda store: store.query("t", "o-1")),
        said({"Items": [_item()], "Count": 1}),
        members=("Items",),
    ),
    Operation(
        "store scan",
        Wire.JSON,
        "Scan",
        _store(lambda store: list(store.scan("t"))),
        said({"Items": [_item()], "Count": 1}),
        members=("Items",),
    ),
    Operation("store put", Wire.JSON, "PutItem", _store(lambda store: store.transact(_TWO[:1])), said({})),
    Operation(
        "store add",
        Wire.JSON,
        "UpdateItem",
        _store(lambda store: store.transact([Add("t", "a", {"n": 1}, {})])),
        said({}),
    ),
    Operation(
        "store delete",
        Wire.JSON,
        "DeleteItem",
        _store(lambda store: store.transact([Delete("t", "a", 1)])),
        said({}),
    ),
    Operation(
        "store transact",
        Wire.JSON,
        "TransactWriteItems",
        _store(lambda store: store.transact(_TWO)),
        said({}),
    ),
    Operation(
        "leases list",
        Wire.JSON,
        "Scan",
        _leases(lambda table: table.list_leases()),
        said({"Items": [lease_to_item(_LEASE)], "Count": 1}),
        members=("Items",),
    ),
    Operation(
        "leases get",
        Wire.JSON,
        "GetItem",
        _leases(lambda table: table.get("shardId-000000000000")),
        said({"Item": lease_to_item(_LEASE)}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
    Operation(
        "leases create",
        Wire.JSON,
        "PutItem",
        _leases(lambda table: table.create_if_absent(_LEASE)),
        said({}),
    ),
    Operation(
        "leases replace",
        Wire.JSON,
        "UpdateItem",
        _leases(lambda table: table.replace(_LEASE, _TAKEN)),
        said({}),
    ),
    Operation(
        "leases delete", Wire.JSON, "DeleteItem", _leases(lambda table: table.delete(_TAKEN)), said({})
    ),
    Operation(
        "accepted orders put",
        Wire.JSON,
        "PutItem",
        _accepted(lambda store: store.put_if_absent("o-1", _ACCEPTED)),
        said({}),
    ),
    Operation(
        "accepted orders get",
        Wire.JSON,
        "GetItem",
        _accepted(lambda store: store.get("o-1")),
        said({"Item": _ACCEPTED_ITEM}),
        members=("Item",),
        fine=_NOTHING_READ,
    ),
)

KINESIS: Final = (
    Operation(
        "engine ListShards",
        Wire.JSON,
        "ListShards",
        _reader(lambda reader: reader.list_shards()),
        said({"Shards": [_SHARD]}),
        members=("Shards",),
    ),
    Operation(
        "engine GetShardIterator",
        Wire.JSON,
        "GetShardIterator",
        _reader(lambda reader: reader.issue("shardId-000000000000", IssueIterator("TRIM_HORIZON"))),
        said({"ShardIterator": "i-1"}),
        members=("ShardIterator",),
        fine=frozenset({"ShardIterator-as-text"}),
    ),
    Operation(
        "engine GetRecords",
        Wire.JSON,
        "GetRecords",
        _reader(lambda reader: reader.read("shardId-000000000000", ReadRecords("i-1", None), None)),
        said({"Records": [], "NextShardIterator": "i-2", "MillisBehindLatest": 0}),
        members=("Records",),
    ),
)

SQS: Final = (
    Operation(
        "queue look-up",
        Wire.JSON,
        "GetQueueUrl",
        _look_up,
        said({"QueueUrl": "http://127.0.0.1:9/queue"}),
        before={"SendMessage": said({"MessageId": "m-1"})},
        members=("QueueUrl",),
        fine=frozenset({"QueueUrl-as-text"}),
    ),
    Operation(
        "queue send",
        Wire.JSON,
        "SendMessage",
        _queue(lambda queue: queue.send("o-1")),
        said({"MessageId": "m-1"}),
        members=("MessageId",),
        fine=frozenset({"MessageId-as-text"}),
    ),
    Operation(
        "queue receive",
        Wire.JSON,
        "ReceiveMessage",
        _queue(lambda queue: queue.receive(1, wait=0, visibility=30)),
        said({"Messages": [{"Body": "o-1", "ReceiptHandle": "r", "Attributes": {}}]}),
        members=("Messages",),
        fine=_NO_MESSAGES,
    ),
    Operation(
        "queue extend",
        Wire.JSON,
        "ChangeMessageVisibility",
        _queue(lambda queue: queue.extend(_MESSAGE, 30)),
        said({}),
    ),
    Operation(
        "queue delete", Wire.JSON, "DeleteMessage", _queue(lambda queue: queue.delete(_MESSAGE)), said({})
    ),
    Operation(
        "queue depth",
        Wire.JSON,
        "GetQueueAttributes",
        _queue(lambda queue: queue.depth()),
        said(
            {
                "Attributes": {
                    "ApproximateNumberOfMessages": "1",
                    "ApproximateNumberOfMessagesNotVisible": "0",
                    "ApproximateNumberOfMessagesDelayed": "0",
                }
            }
        ),
        members=("Attributes",),
    ),
)


def _mailer(clients: Clients) -> Callable[[], object]:
    mailer = SesMailer(clients.aws("ses"))
    return lambda: mailer.send(_MAIL)


def _operators(clients: Clients) -> Callable[[], object]:
    operators = SnsOperators(clients.aws("sns"), "arn:aws:sns:us-east-1:000000000000:operators")
    return lambda: operators.tell(_ALERT)


MESSAGING: Final = (
    Operation("mailer", Wire.QUERY, "SendEmail", _mailer, good(Wire.QUERY, _MAILED)),
    Operation("operators", Wire.QUERY, "Publish", _operators, good(Wire.QUERY, _PUBLISHED)),
)

_METADATA: Final = good(Wire.XML, b"", "metadata", ("x-amz-meta-to", "1-0"))
_LISTED: Final = (
    b"<ListBucketResult><Name>archive</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>"
    b"<Contents><Key>a</Key></Contents></ListBucketResult>"
)
ARCHIVE: Final = (
    Operation(
        "archive put",
        Wire.XML,
        "PUT ",
        _archive(lambda objects: objects.put_if_absent("a", b"x", {"to": "1-0"})),
        good(Wire.XML, b"", "stored", ("etag", '"e"')),
    ),
    Operation(
        "archive look",
        Wire.XML,
        "HEAD ",
        _archive(lambda objects: objects.put_if_absent("a", b"x", {"to": "1-0"}), proven=False),
        _METADATA,
    ),
    Operation(
        "archive metadata", Wire.XML, "HEAD ", _archive(lambda objects: objects.metadata("a")), _METADATA
    ),
    Operation(
        "archive read",
        Wire.XML,
        "GET ",
        _archive(lambda objects: objects.read("a")),
        good(Wire.XML, b"content"),
    ),
    Operation(
        "archive folders",
        Wire.XML,
        "GET ",
        _archive(lambda objects: list(objects.folders())),
        good(Wire.XML, _LISTED),
    ),
    Operation(
        "archive list",
        Wire.XML,
        "GET ",
        _archive(lambda objects: list(objects.names())),
        good(Wire.XML, _LISTED),
    ),
)

PROVIDER: Final = (
    Operation(
        "provider charge",
        Wire.HTTP,
        "POST /v1/charges",
        _provider(lambda provider: provider.charge(Charge("o-1", 1, "GBP", "o-1:capture"))),
        good(Wire.HTTP, b'{"charge_id": "ch_1"}'),
        members=("charge_id",),
        fine=frozenset({"charge_id-as-text"}),
    ),
    Operation(
        "provider refund",
        Wire.HTTP,
        "POST /v1/refunds",
        _provider(lambda provider: provider.refund(Refund("o-1", "ch_1", 1, "GBP", "o-1:refund"))),
        good(Wire.HTTP, b'{"refund_id": "re_1"}'),
        members=("refund_id",),
        fine=frozenset({"refund_id-as-text"}),
    ),
)

OPERATIONS: Final = (*DYNAMODB, *KINESIS, *SQS, *MESSAGING, *ARCHIVE, *PROVIDER)
