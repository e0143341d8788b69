"""The order pipeline beside its stream applications: what several of them need, and the other processes."""

from typing import Final

from orderstream_consumer.delivery import INTERVENTIONS
from orderstream_consumer.limits import RATE_LIMITS
from orderstream_consumer.store.protocol import TableSpec
from orderstream_orders.api.metrics import METRICS as API_METRICS
from orderstream_workers.runtime.topology.process_alarms import API_ALARMS, PAYMENT_ALARMS
from orderstream_workers.runtime.topology.processes import ORDERS, Process
from orderstream_workers.runtime.topology.specs import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    QueueSpec,
    Resource,
    SenderSpec,
    StreamSpec,
    TopicSpec,
)
from orderstream_workers.services import inventory, payments

STOCK_CHANGES: Final = StreamSpec("stock-changes", setting="stock_stream", shards=1, captures=inventory.STOCK)
"""Every change of the stock table, in the table's order."""

PAYMENT_QUEUE: Final = QueueSpec("payments", setting="payment_queue")
"""Orders whose payment has work to do: between payments' stream side and the payment worker."""

OPERATORS_TOPIC: Final = TopicSpec("operators", setting="operators_topic")
"""The topic that notifies operators of low stock."""

ARCHIVE: Final = BucketSpec("archive", setting="archive_bucket")
"""Every record of the stream of messages."""

MAIL_SENDER: Final = SenderSpec("mail", setting="mail_sender")
"""Whom customers get mail from."""

READ_MODEL: Final = DatabaseSpec("read model", setting="read_model_url", credentials="read_model_secret")
"""The state and the story of every order."""

PAYMENTS_API: Final = HttpServiceSpec("payments API", setting="payments_api_url")
"""The provider of payments."""

KEY_SET: Final = HttpServiceSpec("issuer's key set", setting="jwt_keys")
"""The public keys of the issuer of callers' tokens: asked for at the start and every five minutes."""

IDEMPOTENCY_KEYS: Final = TableSpec("idempotency-keys")
"""The orders API's own table."""

API: Final = Process(
    name="api",
    does="takes orders over HTTP, and shows how each is doing and what is in stock",
    writes=(ORDERS,),
    needs=(IDEMPOTENCY_KEYS, READ_MODEL, KEY_SET),
    looks_up=(inventory.STOCK,),
    settings=(
        "auth",
        "jwt_issuer",
        "jwt_audience",
        "jwt_scope_prefix",
        "gateway_secrets",
        "caller_requests_per_second",
    ),
    serves="http",
    metrics=API_METRICS,
    alarms=API_ALARMS,
)

PAYMENT_WORKER: Final = Process(
    name="payment-worker",
    does="takes payments from their queue to the provider",
    writes=(ORDERS,),
    needs=(*payments.TABLES, RATE_LIMITS, PAYMENT_QUEUE, PAYMENTS_API),
    settings=("payments_per_second", "payments_at_once"),
    metrics=payments.METRICS,
    alarms=PAYMENT_ALARMS,
)

OPERATED: Final[tuple[Resource, ...]] = (INTERVENTIONS,)
"""What operators have done by hand is kept, by the commands that do it."""
