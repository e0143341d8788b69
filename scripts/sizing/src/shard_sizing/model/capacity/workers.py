"""How many containers a stream's consumers need, how long records wait for them, and what they cost.

A record belongs to a lease, a lease to one worker, and a worker's cores work on its leases side by side: on
a lease as many as it has lanes, and on a key one. A worker is therefore a queue with c servers, c being its
cores or the lanes of its leases, whichever are fewer. Leases are assigned by number, not by load, and load
is skewed: the fullest worker and the hottest lease decide, as they come out in nine of ten placements. Its
jobs are batches: they arrive at random (Poisson) and take the sum of their records'
times, each exponential, so a batch of b has a squared coefficient of variation of 1/b. The share of batches
that wait is Erlang's C (Erlang 1917; Kleinrock, Queueing Systems, 1975), and the mean wait is that of M/M/c
times (1 + 1/b)/2 (Allen and Cunneen; A. O. Allen, Probability, Statistics and Queueing Theory, 1990). For one
server this mean is exact (Pollaczek and Khinchin); the tail is taken to be exponential.
"""

import math
from typing import Final, Literal

import msgspec
import numpy as np

from shard_sizing.model.cost.fargate import task_for
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.data_files import Limits, RegionPrices
from shard_sizing.model.workload.keys import Keys, fall
from shard_sizing.model.workload.peaks import Floats

Architecture = Literal["x86", "arm"]
Bound = Literal["work", "reads"]

_PLACEMENTS: Final = 200
_USUAL: Final = 0.9  # of the placements


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
        lanes: Keys of one lease that are worked on side by side.
        heaviest_key: The heaviest key's share of the records; one core at a time works on it.
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
    lanes: int = 1
    heaviest_key: float = 0.0

    @property
    def cores_of_a_lease(self) -> int:
        """Cores that can work on one lease."""
        return min(self.lanes, self.cores)

    def cores_asked(self, share: float) -> float:
        """Return the cores that a share of the stream's records keeps busy."""
        return self.rate * share * self.milliseconds / 1000


class Fleet(msgspec.Struct, frozen=True):
    """How a number of containers fares.

    Attributes:
        containers: Containers that run.
        idle: Those of them that get no lease.
        utilisation: Share of its servers' time that the fullest container is busy; from 1 on it falls
            further and further behind.
        hottest_lease: The same of the hottest lease, of the cores that can work on one.
        hottest_key: The same of the heaviest key, of one core.
        hottest_records: Records a second of the hottest lease.
        read_limit_used: Share of its read limit that the readers of the hottest lease's shard need.
        wait_p99: Seconds that 99 % of batches wait at most until their work begins; None if unbounded.
        catch_up: Seconds from the end of an outage until nothing is left over; None if that never happens.
        catch_up_bound: What bounds the way back: ``work`` or ``reads``.
    """

    containers: int
    idle: int
    utilisation: float
    hottest_lease: float
    hottest_key: float
    hottest_records: float
    read_limit_used: float
    wait_p99: float | None
    catch_up: float | None
    catch_up_bound: Bound


def lease_shares(keys: Keys, leases: int, seed: int) -> Floats:
    """Return each lease's share of the records, by placement of the keys and by turn of the leases."""
    rng = np.random.default_rng((seed, leases))
    shares = fall(keys, leases, 1 if keys.exact else _PLACEMENTS, rng).records
    if keys.exact:
        shares = np.repeat(shares, _PLACEMENTS, axis=0)
    return rng.permuted(shares, axis=1)


def containers_needed(work: Work, shares: Floats) -> int | None:
    """Return the containers that keep the planned utilisation; None where one lease or key alone exceeds it.

    Args:
        work: What there is to do.
        shares: Each lease's share of the records, by placement; see ``lease_shares``.
    """
    low, high = 0, work.leases
    most = max(_fullest(work, high, shares)[1], work.cores_asked(work.heaviest_key))
    if most > work.utilisation * (1 + 1e-9):
        return None
    while high - low > 1:
        middle = (low + high) // 2
        busy = _fullest(work, middle, shares)[1] <= work.utilisation * (1 + 1e-9)
        low, high = (low, middle) if busy else (middle, high)
    return high


def fleet(work: Work, containers: int, outage: float, limits: Limits, shares: Floats) -> Fleet:
    """Return how a number of containers fares.

    Args:
        work: What there is to do.
        containers: Containers that run.
        outage: Seconds for which nothing was consumed.
        limits: What a shard gives to its readers.
        shares: Each lease's share of the records, by placement; see ``lease_shares``.
    """
    busy = min(containers, work.leases)
    offered, used, servers = _fullest(work, busy, shares)
    hottest_share = float(_usual(shares.max(axis=1)))
    hottest = work.cores_asked(hottest_share) / work.cores_of_a_lease
    key, reads = work.cores_asked(work.heaviest_key), read_utilisation(work, limits, hottest_share)
    ways: tuple[tuple[float, Bound], ...] = (
        (catch_up(outage, max(used, hottest, key)), "work"),
        (catch_up(outage, reads), "reads"),
    )
    slowest, bound = max(ways)
    return Fleet(
        containers,
        containers - busy,
        used,
        hottest,
        key,
        work.rate * hottest_share,
        reads,
        wait_p99(offered, work.milliseconds / 1000, work.batch, servers) if max(hottest, key) < 1 else None,
        None if math.isinf(slowest) else slowest,
        bound,
    )


def _fullest(work: Work, containers: int, shares: Floats) -> tuple[float, float, int]:
    """Return the fullest container's records a second, its utilisation, and its servers."""
    each = work.leases // containers
    # The first few hold one lease more: leases are balanced by their number.
    more = work.leases - each * containers
    firsts = np.cumsum([0, *([each + 1] * more), *([each] * (containers - more - 1))])
    held = np.diff([*firsts.tolist(), work.leases])
    servers = np.minimum(work.cores, held * work.cores_of_a_lease)
    records = np.add.reduceat(shares, firsts, axis=1) * work.rate
    used = records * work.milliseconds / 1000 / servers
    order = np.argsort(used.max(axis=1), kind="stable")
    usual = int(order[math.ceil(_USUAL * order.size) - 1])
    which = int(used[usual].argmax())
    return float(records[usual, which]), float(used[usual, which]), int(servers[which])


def _usual(values: Floats) -> float:
    """Return what nine of ten placements do not exceed."""
    return float(np.sort(values)[math.ceil(_USUAL * values.size) - 1])


def catch_up(outage: float, utilisation: float) -> float:
    """Return the seconds until what an outage left is done: what came in, through what is left over.

    With the reads' utilisation this is the outage times u / (2/k - u), u being a shard's MiB per second and k
    its readers.
    """
    return outage * utilisation / (1 - utilisation) if utilisation < 1 else math.inf


def read_utilisation(work: Work, limits: Limits, share: float) -> float:
    """Return the share of a shard's read limit that its readers need, at its share of the records."""
    written = work.rate * work.record_bytes * share
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
    """Return USD a month on Fargate, in tasks of at least a vCPU for each core and the memory."""
    vcpus, memory_gb = task_for(work.cores, work.memory_gb)
    vcpu, memory = prices[f"fargate_{architecture}_vcpu_hour"], prices[f"fargate_{architecture}_gb_hour"]
    return containers * (vcpus * vcpu + memory_gb * memory) * HOURS
