"""How many containers a stream's consumers need, how long records wait for them, and what they cost.

A record belongs to a lease, a lease to one worker, and a worker's cores work on its leases side by side, one
core on a lease at a time. A worker is therefore a queue with c servers, c being its cores or its leases,
whichever are fewer. Its jobs are batches: they arrive at random (Poisson) and take the sum of their records'
times, each exponential, so a batch of b has a squared coefficient of variation of 1/b. The share of batches
that wait is Erlang's C (Erlang 1917; Kleinrock, Queueing Systems, 1975), and the mean wait is that of M/M/c
times (1 + 1/b)/2 (Allen and Cunneen; A. O. Allen, Probability, Statistics and Queueing Theory, 1990). For one
server this mean is exact (Pollaczek and Khinchin); the tail is taken to be exponential.
"""

import math
from typing import Literal

import msgspec

from shard_sizing.model.cost import HOURS
from shard_sizing.model.data_files import Limits, RegionPrices

Architecture = Literal["x86", "arm"]
Bound = Literal["work", "reads"]


class Work(msgspec.Struct, frozen=True):
    """What one consumer application has to do.

    Attributes:
        rate: Records per second of the whole stream.
        record_bytes: Mean bytes of a record.
        milliseconds: Measured milliseconds of one core for one record.
        cores: Cores of a container, at least 1.
        batch: Records handed over at once.
        leases: Leases, one for each open shard.
        readers: Applications that share the read limit; 1 with enhanced fan-out.
        utilisation: Highest share of a container's time that may be planned for, between 0 and 1.
        memory_gb: Memory of a container.
    """

    rate: float
    record_bytes: float
    milliseconds: float
    cores: int
    batch: int
    leases: int
    readers: int
    utilisation: float
    memory_gb: float


class Fleet(msgspec.Struct, frozen=True):
    """How a number of containers fares.

    Attributes:
        containers: Containers that run.
        idle: Those of them that get no lease.
        utilisation: Share of its servers' time that the fullest container is busy; from 1 on it falls
            behind for ever.
        wait_p99: Seconds that 99 % of batches wait at most until their work begins; None if never settled.
        catch_up: Seconds from the end of an outage until nothing is left over; None if that never happens.
        catch_up_bound: What bounds the way back: ``work`` or ``reads``.
    """

    containers: int
    idle: int
    utilisation: float
    wait_p99: float | None
    catch_up: float | None
    catch_up_bound: Bound


def containers_needed(work: Work) -> int:
    """Return the containers that keep the planned utilisation."""
    return max(1, math.ceil(work.rate * work.milliseconds / 1000 / (work.cores * work.utilisation)))


def fleet(work: Work, containers: int, outage: float, limits: Limits) -> Fleet:
    """Return how a number of containers fares.

    Args:
        work: What there is to do.
        containers: Containers that run.
        outage: Seconds for which nothing was consumed.
        limits: What a shard gives to its readers.
    """
    busy = min(containers, work.leases)
    # The container with the most leases is the first to fall behind.
    leases = math.ceil(work.leases / busy)
    servers = min(work.cores, leases)
    offered = work.rate * leases / work.leases
    used = offered * work.milliseconds / 1000 / servers
    ways: tuple[tuple[float, Bound], ...] = (
        (catch_up(outage, used), "work"),
        (catch_up(outage, read_utilisation(work, limits)), "reads"),
    )
    slowest, bound = max(ways)
    return Fleet(
        containers,
        containers - busy,
        used,
        wait_p99(offered, work.milliseconds / 1000, work.batch, servers),
        None if math.isinf(slowest) else slowest,
        bound,
    )


def catch_up(outage: float, utilisation: float) -> float:
    """Return the seconds until what an outage left is done: what came in, through what is left over.

    With the reads' utilisation this is the outage times u / (2/k - u), u being a shard's MiB per second and k
    its readers.
    """
    return outage * utilisation / (1 - utilisation) if utilisation < 1 else math.inf


def read_utilisation(work: Work, limits: Limits) -> float:
    """Return the share of a shard's read limit that each of its readers needs just to keep up."""
    written = work.rate * work.record_bytes / work.leases
    return written * work.readers / limits.read_bytes_per_second


def wait_p99(rate: float, service: float, batch: int, servers: int) -> float | None:
    """Return the seconds that 99 % of batches wait at most; None where the work outgrows the servers.

    Args:
        rate: Records per second.
        service: Seconds of one server for one record.
        batch: Records handed over at once.
        servers: Batches worked on side by side.
    """
    load = rate * service
    if load >= servers:
        return None
    # The Erlang B recursion needs no factorials; Erlang's C follows from it.
    blocked = 1.0
    for number in range(1, servers + 1):
        blocked = load * blocked / (number + load * blocked)
    waiting = blocked / (1 - load / servers * (1 - blocked))
    if waiting <= 0.01:
        return 0.0
    mean_of_waiters = batch * service / (servers - load) * (1 + 1 / batch) / 2
    return mean_of_waiters * math.log(waiting / 0.01)


def monthly_cost(work: Work, containers: int, prices: RegionPrices, architecture: Architecture) -> float:
    """Return USD a month on Fargate, one vCPU for each core."""
    vcpu, memory = prices[f"fargate_{architecture}_vcpu_hour"], prices[f"fargate_{architecture}_gb_hour"]
    return containers * (work.cores * vcpu + work.memory_gb * memory) * HOURS
