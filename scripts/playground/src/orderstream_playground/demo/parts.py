"""What the parts of a running environment say, asked the way an outsider would: their tables, their HTTP."""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import httpx

from orderstream_consumer.store import DynamoDBStore
from orderstream_playground.demo.emulated import alerts, ledger, mails, provider_stats
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_workers.operations.dead_letters import dead_letters
from orderstream_workers.projections.order_status import Counts, ReadModel, open_engine
from orderstream_workers.runtime.discovery import application_names
from orderstream_workers.runtime.provision import operators_queue
from orderstream_workers.runtime.topology import QueueSpec
from orderstream_workers.runtime.topology.pipeline import PAYMENT_QUEUE
from orderstream_workers.services.archiver import S3ObjectStore
from orderstream_workers.services.inventory import read_stock, seed_stock
from orderstream_workers.services.payments import SqsPaymentQueue

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sqs import SQSClient

Row = dict[str, Any]


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
        self.archive = BucketArchive(S3ObjectStore(s3, layout.settings.archive_bucket))
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
                "ended_at": order.ended_at.isoformat() if order.ended_at else None,
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
        return ledger(self._http, self.layout.payments_api_url)

    def provider_stats(self) -> Row:
        """Requests that the provider has seen, and those that it throttled."""
        return provider_stats(self._http, self.layout.payments_api_url)

    def mails(self) -> Iterator[Row]:
        """Every mail in the mailbox, one at a time, however many there are."""
        return mails(self._http, self.layout.aws_url)

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
            shard_key = stream, shard["shard_id"]
            checkpoints.setdefault(shard_key, set()).add(shard["checkpoint"])
            if shard["millis_behind_latest"] != 0:
                behind.add(shard_key)
        differing = {shard_key for shard_key, checked in checkpoints.items() if len(checked) > 1}
        return len(behind | differing)

    def changes_waiting(self) -> bool:
        """Whether changes of a table may still be on their way into their stream."""
        asked = [process.health() for process in self.state.processes if process.name.endswith("-bridge")]
        return any(_object(response).get("waiting") is not False for response in asked)

    def alerts(self) -> Iterator[Row]:
        """What the operators' topic has received since it was last asked; taken out of its queue."""
        return alerts(self._sqs, operators_queue(self.layout.settings))

    def payments_throttled(self) -> int:
        """The payment worker's requests that the provider refused with 429."""
        return sum(int(health.get("throttled", 0)) for health in self._health())

    def _shards(self) -> Iterator[tuple[str, str, Row]]:
        """What each worker says of each of its shards: application, stream, shard."""
        for health in self._health():
            for shard in health.get("shards", ()):
                yield health["application"], health["stream"], shard

    def _health(self) -> Sequence[Row]:
        asked = [process.health() for process in self.state.processes if not process.emulator]
        return [body for response in asked if (body := _object(response))]


def _object(response: bytes | None) -> Row:
    """What a process says of itself; nothing where it, or another server in its shard_key, says nothing."""
    try:
        body = json.loads(response or b"")
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}


class BucketArchive:
    """The archive's bucket.

    Args:
        objects: What is in it.
    """

    def __init__(self, objects: S3ObjectStore) -> None:
        self._objects = objects

    def __iter__(self) -> Iterator[str]:
        """All object keys."""
        return self._objects.names()

    def download(self, key: str, file: Path) -> None:
        """Copy one object into a file."""
        file.write_bytes(self._objects.read(key))


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
