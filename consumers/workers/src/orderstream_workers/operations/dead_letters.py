"""What is parked by the applications, and the payments that were given up, as an operator is shown them."""

import datetime as dt
from collections.abc import Collection
from contextlib import suppress
from typing import Final

import msgspec

from orderstream.messages import NotAnEventError, uncompressed
from orderstream_consumer.delivery import ParkedRecord, ParkedRecords
from orderstream_consumer.store import Store
from orderstream_workers.operations.errors import NotDoneError
from orderstream_workers.operations.payloads import described
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.topology import pipeline
from orderstream_workers.services.payments import PaymentDeadLetters, PaymentQueue, QueuedPayment

PAYMENT_WORKER: Final = pipeline.PAYMENT_WORKER.name
"""Its dead letters are in SQS, one or more per order; the key is the order id."""

LETTER_REASON: Final = "received too often; the payment workers' log says why"


class ListedKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key of which something is parked.

    Attributes:
        application: Who parked it.
        key: The partition key; of a dead payment, the order id.
        behind: How many records wait behind the first.
        since: Since when (UTC); None where SQS does not say.
        reason: Why the first is there.
    """

    application: str
    key: str
    behind: int
    since: dt.datetime | None
    reason: str


class ShownRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A record that is parked, or a dead payment.

    Attributes:
        position: Its position in the stream; empty for a dead payment.
        described: What it is.
        shard_id: The shard that it came from; empty for a dead payment.
        arrived_at: When it arrived (UTC); None where SQS does not say.
        reason: Why it is there.
        data: Its payload as text, if it was asked for. It may hold personal data.
    """

    position: str
    described: str
    shard_id: str
    arrived_at: dt.datetime | None
    reason: str
    data: str | None = None


def letters_of(resources: Resources) -> PaymentDeadLetters:
    """The payments that were given up."""
    return PaymentDeadLetters(resources.payment_dead_letters, resources.payment_queue)


def dead_letters(applications: Collection[str], store: Store, payments: PaymentQueue) -> int:
    """How many records are parked, and how many payments were given up.

    Args:
        applications: The names of the stream applications.
        store: Where records are parked.
        payments: The queue of payments that were received too often.

    Raises:
        DependencyError: the store or the queue did not respond.
    """
    keys = [key for name in applications for key in ParkedRecords(store, name).keys()]  # noqa: SIM118 - no dict
    return sum(key.count for key in keys) + payments.depth()


def listed(resources: Resources, application: str, parked_for: str = "") -> list[ListedKey]:
    """Every key that is parked.

    Args:
        resources: Where it is.
        application: Whose.
        parked_for: Only keys whose reason contains this.
    """
    if application == PAYMENT_WORKER:
        found = [_listed_letter(letter) for letter in letters_of(resources).waiting()]
    else:
        keys = ParkedRecords(resources.store, application).keys()
        found = [
            ListedKey(
                application=application,
                key=key.partition_key,
                behind=max(key.count - 1, 0),
                since=key.parked_at,
                reason=key.reason,
            )
            for key in keys
        ]
    return [one for one in found if parked_for in one.reason]


def shown(resources: Resources, application: str, key: str, *, data: bool) -> list[ShownRecord]:
    """What is parked under a key, in order.

    Args:
        resources: Where it is.
        application: Whose.
        key: The key.
        data: Whether the payloads are wanted too.

    Raises:
        NotDoneError: nothing is.
    """
    if application == PAYMENT_WORKER:
        letters = [letter for letter in letters_of(resources).waiting() if letter.order_id == key]
        if not letters:
            raise no_letter(key)
        return [_shown_letter(letter) for letter in letters]
    records = ParkedRecords(resources.store, application).records(key)
    if not records:
        raise not_parked(application, key)
    return [_shown_record(record, data=data) for record in records]


def not_parked(application: str, key: str) -> NotDoneError:
    """There is no dead letter of this key: it may be misspelt."""
    return NotDoneError(f"nothing is parked for {application} under {key}")


def no_letter(order_id: str) -> NotDoneError:
    """As ``not_parked``, of payments."""
    return NotDoneError(f"no payment of order {order_id} is a dead letter")


def _listed_letter(letter: QueuedPayment) -> ListedKey:
    # Nothing ever waits behind one: a message says no more than that its order has something to do.
    return ListedKey(
        application=PAYMENT_WORKER,
        key=letter.order_id,
        behind=0,
        since=letter.sent_at,
        reason=LETTER_REASON,
    )


def _shown_letter(letter: QueuedPayment) -> ShownRecord:
    return ShownRecord(
        position="",
        described=f"payment of order {letter.order_id}, received {letter.receives} times",
        shard_id="",
        arrived_at=letter.sent_at,
        reason=LETTER_REASON,
    )


def _shown_record(parked: ParkedRecord, *, data: bool) -> ShownRecord:
    record = parked.record
    return ShownRecord(
        position=str(record.position),
        described=described(record.data),
        shard_id=record.shard_id,
        arrived_at=record.approximate_arrival,
        reason=parked.reason,
        data=_text(record.data) if data else None,
    )


def _text(data: bytes) -> str:
    """A payload as text, whatever it is."""
    with suppress(NotAnEventError):  # it says that it is compressed, and is not: shown as it came
        data = uncompressed(data)
    return data.decode("utf-8", "backslashreplace")
