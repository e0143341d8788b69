"""The faults of the matrix: what is done, and how. Which alarms each of them fires is in ``matrix.json``."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import Final

from alarms import striking
from alarms.lateness import steps_late
from alarms.world import World


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that goes wrong.

    Attributes:
        name: What a person calls it.
        does: What is done, for a reader of the guide.
        strike: Lets it happen while the body of what it returns runs.
        at_most: Seconds within which all of its alarms have to ring.
    """

    name: str
    does: str
    strike: Callable[[World], AbstractContextManager[None]]
    at_most: float = 90.0


FAULTS: Final = (
    Fault(
        "a consumer is stopped",
        "shipping is killed, and nobody starts it again",
        lambda world: striking.killed(world, "shipping"),
    ),
    Fault(
        "the archiver is stopped",
        "the archiver is killed, and nobody starts it again",
        lambda world: striking.killed(world, "archiver"),
    ),
    Fault(
        "no heartbeat",
        "the payment worker hangs (SIGSTOP): it is there, and says nothing",
        lambda world: striking.frozen(world, "payment-worker"),
    ),
    Fault("everything is stopped", "every process is killed", striking.all_killed),
    Fault("a poison record", "a record that is no event is put into each stream", striking.poisoned),
    Fault(
        "a dead payment", "a message that names no payment is in the dead-letter queue", striking.dead_payment
    ),
    Fault("the provider is away", "the payment provider answers 503", striking.provider_away),
    Fault(
        "the API fails",
        "DynamoDB hangs up on the orders API, and on nobody else",
        lambda world: striking.away(world, "dynamodb", "api"),
    ),
    Fault(
        "writes are throttled",
        "Kinesis refuses a fifth of the records that are put",
        partial(striking.kinesis_goes_wrong, operation="PutRecords", kind="fail_records", rate=0.2),
    ),
    Fault(
        "reads are throttled",
        "a stranger's program reads each shard of both streams thirty times a second, with rests",
        striking.crowded,
        at_most=150.0,
    ),
    Fault(
        "steps are late",
        "Kinesis hangs up on stock, payments and shipping in turn, and an order's request to each turns out "
        "to be older than its deadline",
        steps_late,
    ),
    Fault("stock below zero", "an item of the stock table is set to -3 by hand", striking.stock_below_zero),
    Fault(
        "days behind", "Kinesis says with each read that the reader is four days behind", striking.days_behind
    ),
    Fault(
        "the archive is away",
        "S3 hangs up on the archiver",
        lambda world: striking.away(world, "s3"),
        at_most=150.0,
    ),
    Fault(
        "the read model is locked",
        "a person holds a write transaction of its database open",
        striking.read_model_locked,
        at_most=150.0,
    ),
    Fault(
        "the tables are away",
        "DynamoDB hangs up on all work with the services' tables, the last of an order's way first, while "
        "leases and checkpoints go on",
        striking.tables_away,
        at_most=200.0,
    ),
    Fault(
        "the stock monitor is refused",
        "Kinesis hangs up on what the stock monitor publishes, and a SKU is low",
        striking.stock_monitor_refused,
        at_most=150.0,
    ),
    Fault(
        "DynamoDB is away",
        "DynamoDB hangs up on every process",
        lambda world: striking.away(world, "dynamodb"),
        at_most=200.0,
    ),
    Fault(
        "records expire",
        "every application is away until retention has taken what is at its checkpoints",
        striking.expired,
        at_most=120.0,
    ),
)
"""All of them, in the order in which they are played."""
