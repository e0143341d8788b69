"""Which calls go wrong, and how: a function of the call, the rates and a seeded source of chance."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from chaos.calls import Call
from hostile.responses import Delivery, Odd, Wire, kinds

_DYNAMODB = "com.amazonaws.dynamodb.v20120810#"
_ITEM_WRITES = ("PutItem", "UpdateItem", "DeleteItem")


class Fault(StrEnum):
    """What can happen to a call."""

    NONE = "none"
    CONFLICT = "conflict"
    """Another transaction holds one of the items. Nothing was written."""
    THROTTLE = "throttle"
    """Too many requests. Nothing was done."""
    ERROR = "error"
    """A plain 500 or 503. Nothing was done."""
    LOST_ACK = "lost_ack"
    """It was done, and the connection ended before the response."""
    ODD = "odd"
    """Something in between responds: a page, an empty 200, a cut body. Nothing was done."""
    ODD_ACK = "odd_ack"
    """It was done, and something in between responds in the service's stead."""
    OUTAGE = "outage"
    """The connection ended before anything was done."""
    DUPLICATE = "duplicate"
    """A message comes that had come before."""
    DISORDER = "disorder"
    """Messages come in another order than they were sent in."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often each fault happens to a call that it can happen to, 0 to 1 in sum.

    Attributes:
        conflict: DynamoDB writes.
        throttle: DynamoDB.
        error: Every service.
        lost_ack: DynamoDB, and SQS's ``DeleteMessage``.
        duplicate: SQS's ``ReceiveMessage``.
        disorder: The same.
        odd: Every service.
        odd_ack: Every service but SES and SNS, which have no way to notice a repetition.
    """

    conflict: float = 0.0
    throttle: float = 0.0
    error: float = 0.0
    lost_ack: float = 0.0
    duplicate: float = 0.0
    disorder: float = 0.0
    odd: float = 0.0
    odd_ack: float = 0.0


@dataclass(frozen=True, slots=True)
class Action:
    """What to do with a call.

    Attributes:
        fault: What happens to it.
        status: Of the response, if it is given here.
        body: The same.
        odd: The response of something in between, if there is one; it may be broken off.
    """

    fault: Fault
    status: int = 0
    body: bytes = b""
    odd: Odd | None = None


_WIRES = {"sns": Wire.QUERY, "ses": Wire.QUERY, "s3": Wire.XML, "payments": Wire.HTTP}


def odd_responses(service: str) -> tuple[tuple[Odd, ...], ...]:
    """What something between a process and a service may respond, by kind.

    Args:
        service: As ``Call`` names it.
    """
    return _ODD[_WIRES.get(service, Wire.JSON)]


def _prompt(wire: Wire) -> tuple[tuple[Odd, ...], ...]:
    """Without those that keep the caller waiting: outages do that."""
    found = (
        tuple(odd for odd in kind if odd.delivery is not Delivery.SILENT) for kind in kinds(wire).values()
    )
    return tuple(kind for kind in found if kind)


_ODD = {wire: _prompt(wire) for wire in Wire}


def decide(call: Call, random: Random, rates: Rates) -> Action:
    """Draw what happens to a call.

    Args:
        call: It.
        random: The caller's own source: one draw for each call, and one or two more for a fault.
        rates: How often what happens.
    """
    draw = random.random()
    for fault, rate in _possible(call, rates):
        if draw < rate:
            return _action(fault, call, random)
        draw -= rate
    return Action(Fault.NONE)


def _possible(call: Call, rates: Rates) -> Iterator[tuple[Fault, float]]:
    yield Fault.ERROR, rates.error
    yield Fault.ODD, rates.odd
    if call.service not in {"ses", "sns"}:
        yield Fault.ODD_ACK, rates.odd_ack
    if call.service == "dynamodb":
        yield Fault.THROTTLE, rates.throttle
        yield Fault.LOST_ACK, rates.lost_ack
        if call.operation == "TransactWriteItems" or call.operation in _ITEM_WRITES:
            yield Fault.CONFLICT, rates.conflict
    elif call.service == "sqs" and call.operation.startswith("DeleteMessage"):
        yield Fault.LOST_ACK, rates.lost_ack
    elif call.service == "sqs" and call.operation == "ReceiveMessage":
        yield Fault.DUPLICATE, rates.duplicate
        yield Fault.DISORDER, rates.disorder


def _action(fault: Fault, call: Call, random: Random) -> Action:
    match fault:
        case Fault.ERROR:
            return Action(fault, random.choice((500, 503)), b"")
        case Fault.ODD | Fault.ODD_ACK:
            return Action(fault, odd=random.choice(random.choice(odd_responses(call.service))))
        case Fault.THROTTLE:
            kind = random.choice(("ProvisionedThroughputExceededException", "ThrottlingException"))
            return Action(fault, 400, _refusal(kind, "Rate exceeded"))
        case Fault.CONFLICT if call.operation == "TransactWriteItems":
            return Action(fault, 400, _cancelled(call, random))
        case Fault.CONFLICT:
            return Action(fault, 400, _refusal("TransactionConflictException", "Transaction is ongoing"))
        case _:
            random.random()
            return Action(fault)


def _refusal(kind: str, message: str) -> bytes:
    return json.dumps({"__type": _DYNAMODB + kind, "message": message}).encode()


def _cancelled(call: Call, random: Random) -> bytes:
    """One reason for each item, in their order, as TransactWriteItems answers."""
    items = len(call.arguments.get("TransactItems", [])) or 1
    victim = random.randrange(items)
    reasons: list[dict[str, str]] = [{"Code": "None"} for _ in range(items)]
    reasons[victim] = {"Code": "TransactionConflict", "Message": "Transaction is ongoing for the item"}
    codes = ", ".join(reason["Code"] for reason in reasons)
    message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{codes}]"
    return json.dumps(
        {
            "__type": _DYNAMODB + "TransactionCanceledException",
            "Message": message,
            "CancellationReasons": reasons,
        }
    ).encode()
