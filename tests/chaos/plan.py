"""What goes wrong in a run, and when: a function of the seed, so that the seed replays it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from random import Random
from typing import Any

from chaos.faults import Rates

OUTAGE_SECONDS = 120.0
"""How long the long outages last."""


WITHOUT_LEASES = frozenset({"api", "payment-worker", "stock-bridge"})
"""Processes that hold no leases, so that nobody takes anything over from them while they are frozen."""


SLOW = 1.5
"""Seconds that the provider works on a request: long enough for many to be under way at the same time."""


SILENT_SERVICES = ("ses", "sns")
"""Services that only notifications need; each is away once in every plan."""


class Trouble(StrEnum):
    """What can happen to the pipeline from outside."""

    KILL = "kill"
    """SIGKILL, and a new process of the same kind at once."""
    FREEZE = "freeze"
    """SIGSTOP for longer than its leases last while another process of its kind takes over, then SIGCONT."""
    ROLL = "roll"
    """SIGTERM to one process after the other; each drains and is replaced before the next."""
    SPLIT = "split"
    """One shard becomes two."""
    MERGE = "merge"
    """Two neighbouring shards become one."""
    DOUBLE = "double"
    """Twice as many shards."""
    HALVE = "halve"
    """Half as many shards."""
    PROVIDER = "provider"
    """The payment provider throttles, fails, or charges and never answers; or it is away for seconds."""
    OUTAGE = "outage"
    """A service of AWS is away."""
    SKEW = "skew"
    """A process is restarted on a host whose clock is wrong, until it is replaced again."""
    LEASES = "leases"
    """Rows of an application's lease table are deleted."""
    STOCK = "stock"
    """An operator receives goods, or corrects a count, while orders reserve and sell them."""


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happens.

    Attributes:
        after: Seconds since the one before.
        trouble: What happens.
        target: The process that it happens to, or the service that is away; empty where it is the stream.
        demand: For PROVIDER, what its ``POST /_faults`` is told; for OUTAGE, its ``seconds``; for SKEW, the
            ``hours`` by which the clock is ahead; for STOCK, the ``units`` to add and the ``place``
            of the SKU among all, from 0 to below 1.
    """

    after: float
    trouble: Trouble
    target: str = ""
    demand: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run's trouble.

    Attributes:
        seed: The same seed gives the same plan.
        decline_percent: How many of a hundred cards the provider declines.
        kinesis: Faults of the Kinesis fake, as its ``POST /_faults`` takes them; armed all the time.
        aws: Rates of what goes wrong between our processes and every other service; all the time.
        events: What happens besides, one after the other.
    """

    seed: int
    decline_percent: int
    kinesis: tuple[Mapping[str, Any], ...]
    aws: Rates
    events: tuple[Event, ...]


def plan_of(seed: int, processes: list[str], seconds: float) -> Plan:
    """Make the plan of a run in which everything goes wrong at once.

    Args:
        seed: The same seed gives the same plan.
        processes: What can be killed, frozen and restarted.
        seconds: How long trouble lasts; afterwards the pipeline is left in peace, and has to drain.
    """
    random = Random(seed)
    return Plan(
        seed=seed,
        decline_percent=random.randint(8, 20),
        kinesis=_kinesis(random),
        aws=Rates(
            conflict=random.uniform(0.01, 0.05),
            throttle=random.uniform(0.005, 0.02),
            error=random.uniform(0.002, 0.01),
            lost_ack=random.uniform(0.005, 0.02),
            duplicate=random.uniform(0.2, 0.4),
            disorder=random.uniform(0.2, 0.4),
            odd=random.uniform(0.003, 0.01),
            odd_ack=random.uniform(0.003, 0.01),
        ),
        events=tuple(_events(random, processes, seconds)),
    )


def outage_plan(seed: int, service: str) -> Plan:
    """Make the plan of a run in which one service is away for two minutes and nothing else happens.

    Args:
        seed: Draws when it begins, while orders are being accepted.
        service: ``dynamodb``, or ``payments`` for the provider.
    """
    random = Random(seed)
    after = random.uniform(2.0, 4.0)
    if service == "payments":
        event = Event(after, Trouble.PROVIDER, demand={"outage_seconds": OUTAGE_SECONDS})
    else:
        event = Event(after, Trouble.OUTAGE, service, {"seconds": OUTAGE_SECONDS})
    pause = Event(OUTAGE_SECONDS, Trouble.PROVIDER)
    return Plan(seed=seed, decline_percent=10, kinesis=(), aws=Rates(), events=(event, pause))


def skew_plan(seed: int, processes: list[str], seconds: float) -> Plan:
    """Make the plan of a run in which every process in turn runs on a host whose clock is an hour wrong.

    Args:
        seed: Draws the order, and which are ahead and which behind.
        processes: Those with a clock of their own.
        seconds: How long it lasts in all.
    """
    random = Random(seed)
    pause = seconds / len(processes)
    events = [
        Event(pause, Trouble.SKEW, name, {"hours": random.choice((-1.0, 1.0))})
        for name in _in_turn(random, processes)
    ]
    return Plan(
        seed=seed,
        decline_percent=10,
        kinesis=(),
        aws=Rates(),
        events=(*events, Event(pause, Trouble.PROVIDER)),
    )


def _kinesis(random: Random) -> tuple[Mapping[str, Any], ...]:
    """Throttles, records refused one by one, 500s, answers lost after the effect, iterators that expire."""

    def fault(operation: str, kind: str, error: str, most: float) -> Mapping[str, Any]:
        rate = round(random.uniform(most / 4, most), 4)
        # The orders' stream alone: what writes to the other one stands in for AWS.
        where = {"operation": operation, "stream": "orders"}
        return where | {"kind": kind, "error": error, "rate": rate, "times": None}

    throttled = "ProvisionedThroughputExceededException"
    return (
        fault("PutRecords", "reject", throttled, 0.05),
        fault("PutRecords", "reject", "InternalFailure", 0.05),
        fault("PutRecords", "fail_records", throttled, 0.1),
        fault("PutRecords", "fail_records", "InternalFailure", 0.05),
        fault("PutRecords", "lose_response", "ConnectionClosedError", 0.05),
        fault("GetRecords", "reject", throttled, 0.1),
        fault("GetRecords", "reject", "ExpiredIteratorException", 0.05),
        fault("GetRecords", "reject", "InternalFailure", 0.05),
        fault("GetRecords", "lose_response", "ConnectionClosedError", 0.03),
        fault("ListShards", "reject", "LimitExceededException", 0.3),
    )


def _events(random: Random, processes: list[str], seconds: float) -> list[Event]:
    """The provider's and the stream's trouble come in every plan, once a roll; the rest is drawn."""
    kinds = [Trouble.PROVIDER, Trouble.FREEZE]
    kinds += random.sample((Trouble.SPLIT, Trouble.MERGE, Trouble.DOUBLE), 2)
    kinds += [Trouble.HALVE] if Trouble.DOUBLE in kinds else []
    kinds += [Trouble.ROLL] if random.random() < 0.4 else []
    kinds += [Trouble.SKEW, Trouble.LEASES, Trouble.OUTAGE, Trouble.OUTAGE]
    kinds += [Trouble.STOCK, Trouble.STOCK, Trouble.STOCK]
    pause = 2.0
    kinds += [Trouble.KILL] * max(3, round(seconds / pause) - len(kinds) - 1)
    random.shuffle(kinds)
    kinds.insert(0, Trouble.PROVIDER)  # while no payment has been made yet, so that some will meet it
    if Trouble.HALVE in kinds:  # what was never doubled is too small to be halved
        first, second = sorted((kinds.index(Trouble.DOUBLE), kinds.index(Trouble.HALVE)))
        kinds[first], kinds[second] = Trouble.DOUBLE, Trouble.HALVE
    victims = _in_turn(random, processes)
    mean = seconds / len(kinds)
    silent = list(SILENT_SERVICES)
    events = []
    for kind in kinds:
        event = _event(kind, random.uniform(0.5 * mean, 1.5 * mean), victims, random)
        events.append(replace(event, target=silent.pop()) if kind is Trouble.OUTAGE else event)
    # An outage may pass while nobody asks; what a demand counts out waits until somebody does.
    events[0] = replace(events[0], demand=_burst(random))
    return events


def _in_turn(random: Random, processes: list[str]) -> list[str]:
    """Every process in random order, to be taken from the end; nobody is spared by chance."""
    return random.sample(processes, len(processes))


def _event(kind: Trouble, after: float, victims: list[str], random: Random) -> Event:
    match kind:
        case Trouble.KILL:
            victim = victims.pop()
            victims.insert(0, victim)
            return Event(after, kind, victim)
        case Trouble.SKEW:
            return Event(after, kind, random.choice(victims), {"hours": random.choice((-1.0, 1.0))})
        case Trouble.FREEZE | Trouble.LEASES:
            return Event(after, kind, random.choice([name for name in victims if name not in WITHOUT_LEASES]))
        case Trouble.OUTAGE:
            return Event(after, kind, demand={"seconds": round(random.uniform(4.0, 8.0), 1)})
        case Trouble.STOCK:
            units = random.choice((random.randint(1, 60), random.randint(-5, -1)))
            return Event(after, kind, demand={"units": units, "place": random.random()})
        case Trouble.PROVIDER if random.random() < 0.4:
            outage = round(random.uniform(3.0, 8.0), 1)
            return Event(after, kind, demand={"outage_seconds": outage, "latency_seconds": SLOW})
        case Trouble.PROVIDER:
            return Event(after, kind, demand=_burst(random))
        case _:
            return Event(after, kind)


def _burst(random: Random) -> Mapping[str, float]:
    """Requests throttled, refused, or carried out and answered after the caller has given up."""
    return {
        "throttles": random.randint(1, 6),
        "errors": random.randint(1, 6),
        "lost_responses": random.randint(1, 3),
        "hang_seconds": round(random.uniform(5.5, 8.0), 1),
        "latency_seconds": SLOW,
    }
