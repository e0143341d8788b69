"""What the parts of a running environment say, asked the way an outsider would: their tables, their HTTP."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import boto3
import httpx
import ijson

from orderstream_consumer.store import DynamoDBStore
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_workers.operations.dead_letters import dead_letters
from orderstream_workers.projections.order_status import Counts, ReadModel, open_engine
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.provision import operators_queue
from orderstream_workers.runtime.topology import QueueSpec
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE
from orderstream_workers.services.inventory import read_stock, seed_stock
from orderstream_workers.services.payments import SqsPaymentQueue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

Row = dict[str, Any]

_MAILBOX: Final = "/_ministack/ses/messages"
_ACCOUNT: Final = "000000000000"
"""The account of an access key that is not a number."""


class Parts:
    """One environment, seen from outside.

    Args:
        layout: Where everything is.
        state: What runs.
        read_model: Order status.
        store: The services' tables.
        s3: The archive.
        sqs: Holds what the operators' topic has received.
        http: A client without a base URL.
    """

    def __init__(
        self,
        *,
        layout: Layout,
        state: EnvironmentState,
        read_model: ReadModel,
        store: DynamoDBStore,
        s3: "S3Client",
        sqs: "SQSClient",
        http: httpx.Client,
    ) -> None:
        self.layout = layout
        self.state = state
        self.archive = BucketArchive(s3, layout.settings.archive_bucket)
        self._read_model = read_model
        self._store = store
        self._sqs = sqs
        self._http = http

    def seed_stock(self, sku: str, units: int) -> None:
        """Put a SKU on the shelf unless it is there."""
        seed_stock(self._store, sku, units)

    def counts(self) -> Counts:
        """How many orders are how far."""
        return self._read_model.counts()

    def open_orders(self) -> int:
        """How many orders have not ended."""
        return self._read_model.open_orders()

    def endings(self) -> Iterator[Row]:
        """Every order of the read model."""
        for order in self._read_model.orders():
            yield {
                "order_id": order.order_id,
                "state": order.state,
                "state_reason": order.state_reason,
                "total_minor": order.total_minor,
                "currency": order.currency,
                "settled_at": order.settled_at.isoformat() if order.settled_at else None,
            }

    def story(self, order_id: str) -> tuple[str, ...]:
        """What has happened to an order, oldest first."""
        order = self._read_model.order(order_id)
        return tuple(row.type for row in order.history) if order else ()

    def stock_levels(self) -> Iterator[Row]:
        """Every SKU of the inventory table."""
        for level in read_stock(self._store):
            yield {
                "sku": level.sku,
                "initial": level.initial,
                "available": level.available,
                "reserved": level.reserved,
                "sold": level.sold,
            }

    def reserved_units(self) -> int:
        """Units that are reserved and neither sold nor released."""
        return sum(level.reserved for level in read_stock(self._store))

    def ledger(self) -> Iterator[Row]:
        """The provider's own ledger, entry by entry."""
        with self._http.stream("GET", f"{self.layout.payments_api_url}/v1/ledger") as answer:
            answer.raise_for_status()
            for line in answer.iter_lines():
                yield json.loads(line)

    def provider_stats(self) -> Row:
        """Requests that the provider has seen, and those that it throttled."""
        answer = self._http.get(f"{self.layout.payments_api_url}/v1/stats")
        answer.raise_for_status()
        stats: Row = answer.json()
        return stats

    def mails(self) -> Iterator[Row]:
        """Every mail in the mailbox, one at a time, however many there are."""
        with tempfile.TemporaryFile() as file:
            with self._http.stream("GET", f"{self.layout.aws_url}{_MAILBOX}") as answer:
                answer.raise_for_status()
                for chunk in answer.iter_bytes():
                    file.write(chunk)
            file.seek(0)
            for mail in ijson.items(file, f"messages.{_ACCOUNT}.item"):
                yield {"channel": "email", **mail}

    def dead_letters(self) -> int:
        """Records that were parked, and messages in the payments' dead-letter queue."""
        # Counted here: what /health says of them is up to ten seconds old.
        settings = self.layout.settings
        queue = SqsPaymentQueue.named(self._sqs, QueueSpec.dead_letters_of(settings.name_of(PAYMENT_QUEUE)))
        return dead_letters(application_names(settings), self._store, queue)

    def lag_millis(self) -> int | None:
        """How far the slowest consumer is behind the stream, in milliseconds; None while unknown."""
        lags = [
            shard["millis_behind_latest"]
            for health in self._health()
            for shard in health.get("shards", ())
            if shard["millis_behind_latest"] is not None
        ]
        return max(lags, default=None)

    def silent_applications(self) -> list[str]:
        """Applications that do not speak for every shard of their stream: who knows that they are done?"""
        spoken: dict[str, set[str]] = {}
        known: dict[str, set[str]] = {}
        streams: dict[str, str] = {}
        for application, stream, shard in self._shards():
            spoken.setdefault(application, set()).add(shard["shard_id"])
            known.setdefault(stream, set()).add(shard["shard_id"])
            streams[application] = stream
        return [
            name
            for name in application_names(self.layout.settings)
            if name not in spoken or spoken[name] != known[streams[name]]
        ]

    def consumers_behind(self) -> int:
        """Shards that not every application of their stream has read to the same, last record."""
        checkpoints: dict[tuple[str, str], set[str]] = {}
        behind: set[tuple[str, str]] = set()
        for _, stream, shard in self._shards():
            place = stream, shard["shard_id"]
            checkpoints.setdefault(place, set()).add(shard["checkpoint"])
            if shard["millis_behind_latest"] != 0:
                behind.add(place)
        differing = {place for place, checked in checkpoints.items() if len(checked) > 1}
        return len(behind | differing)

    def changes_waiting(self) -> bool:
        """Whether changes of a table may still be on their way into their stream."""
        bodies = [process.health() for process in self.state.processes if process.name.endswith("-bridge")]
        return any(body is None or json.loads(body)["waiting"] for body in bodies)

    def alerts(self) -> Iterator[Row]:
        """What the operators' topic has received since it was last asked; taken out of its queue."""
        queue = self._sqs.get_queue_url(QueueName=operators_queue(self.layout.settings))["QueueUrl"]
        while found := self._sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                yield {"channel": "sns", **json.loads(message["Body"])}
                self._sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])

    def payments_throttled(self) -> int:
        """Requests to the provider that the payment worker saw answered with 429."""
        return sum(int(health.get("throttled", 0)) for health in self._health())

    def _shards(self) -> Iterator[tuple[str, str, Row]]:
        """What each worker says of each of its shards: application, stream, shard."""
        for health in self._health():
            for shard in health.get("shards", ()):
                yield health["application"], health["stream"], shard

    def _health(self) -> Sequence[Row]:
        bodies = [process.health() for process in self.state.processes if not process.emulator]
        return [json.loads(body) for body in bodies if body]


class BucketArchive:
    """The archive's bucket.

    Args:
        s3: A boto3 S3 client.
        bucket: The bucket's name.
    """

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def __iter__(self) -> Iterator[str]:
        """All object keys."""
        for page in self._s3.get_paginator("list_objects_v2").paginate(Bucket=self._bucket):
            for summary in page.get("Contents", ()):
                yield summary["Key"]

    def download(self, key: str, file: Path) -> None:
        """Copy one object into a file."""
        self._s3.download_file(self._bucket, key, str(file))


@contextmanager
def connected(layout: Layout, state: EnvironmentState) -> Iterator[Parts]:
    """Connect to an environment while the body runs."""
    with ExitStack() as closing:

        def client(service: str) -> Any:
            made = boto3.client(  # type: ignore[call-overload]
                service,
                endpoint_url=layout.aws_url,
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",  # noqa: S106 - emulators take any
            )
            closing.callback(made.close)
            return made

        engine = open_engine(layout.settings.read_model_url)
        closing.callback(engine.dispose)
        yield Parts(
            layout=layout,
            state=state,
            read_model=ReadModel(engine),
            store=DynamoDBStore(client("dynamodb"), layout.settings.table_prefix),
            s3=client("s3"),
            sqs=client("sqs"),
            http=closing.enter_context(httpx.Client(timeout=30.0)),
        )
