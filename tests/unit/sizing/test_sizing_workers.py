"""Containers for a stream's consumers: the queue against exact results and simulation, and its bounds."""

import json

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.errors import InputError
from shard_sizing.model.capacity.workers import (
    Work,
    catch_up,
    containers_needed,
    fleet,
    lease_shares,
    monthly_cost,
    wait_p99,
)
from shard_sizing.model.cost.fargate import task_for
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.workload.keys import keys_of
from shard_sizing.model.workload.peaks import Floats
from shard_sizing.model.workload.profile import synthetic

LIMITS = load_limits()


EVEN = keys_of(synthetic(1, 500, 0.0, 0.0, keys=2_000))


def work(rate: float = 4_000, milliseconds: float = 2.0, leases: int = 16, readers: int = 1) -> Work:
    return Work(rate, 500, milliseconds, 2, 100, leases, readers, 0.7, 4)


def equal(leases: int) -> Floats:
    return np.full((1, leases), 1 / leases)


def test_one_server_without_batches_is_exact() -> None:
    """For M/M/1 the wait's distribution is known: P(W > t) = u e^(-(1-u)t/s)."""
    assert wait_p99(0.5, 1.0, 1, 1) == pytest.approx(np.log(0.5 / 0.01) / 0.5)


@pytest.mark.parametrize(("batch", "servers", "used"), [(1, 4, 0.8), (20, 1, 0.7), (20, 4, 0.9)])
def test_the_wait_agrees_with_a_simulated_queue(batch: int, servers: int, used: float) -> None:
    """99 % of the waits in 100,000 simulated batches lie within 20 % of the model's figure."""
    rng = np.random.default_rng(1)
    arrivals = np.cumsum(rng.exponential(batch / (used * servers), 100_000))
    services = rng.gamma(batch, 1.0, 100_000)
    free, waits = [0.0] * servers, []
    for at, service in zip(arrivals.tolist(), services.tolist(), strict=True):
        first = min(range(servers), key=free.__getitem__)
        waits.append(max(0.0, free[first] - at))
        free[first] = max(free[first], at) + service
    assert wait_p99(used * servers, 1.0, batch, servers) == pytest.approx(np.quantile(waits, 0.99), rel=0.2)


def test_catch_up_is_bound_by_the_slower_of_work_and_reads() -> None:
    """With many readers the read limit binds, and its formula is u / (2/k - u) hours an hour."""
    bound = fleet(work(leases=4, milliseconds=0.1, readers=4), 4, 3_600, LIMITS, equal(4))
    u, k = 4_000 * 500 / 4 / 2**20, 4
    assert bound.catch_up_bound == "reads"
    assert bound.catch_up == pytest.approx(3_600 * u / (2 / k - u))
    assert fleet(work(), 8, 3_600, LIMITS, equal(16)).catch_up_bound == "work"


def test_containers_beyond_the_leases_are_idle() -> None:
    """A lease has one holder, so a seventeenth container for sixteen leases gets none."""
    assert fleet(work(), 20, 0, LIMITS, equal(16)).idle == 4


@given(st.floats(1, 1e5), st.floats(0.01, 50), st.integers(1, 200))
def test_the_containers_needed_keep_the_planned_utilisation(rate: float, ms: float, leases: int) -> None:
    """The fullest is as busy as planned at most, and one container fewer would not do."""
    asked, shares = work(rate, ms, leases), equal(leases)
    needed = containers_needed(asked, shares)
    if needed is None:
        assert rate * ms / 1000 / leases > asked.utilisation
        return
    assert fleet(asked, needed, 0, LIMITS, shares).utilisation <= asked.utilisation * (1 + 1e-6)
    assert needed * asked.cores * asked.utilisation >= rate * ms / 1000 * (1 - 1e-9)


def test_skewed_keys_fill_one_container() -> None:
    """Steep keys leave one lease with most of the work: it has one core, or as many as it has lanes."""
    steep = keys_of(synthetic(1, 500, 1.1, 0.0))
    asked = Work(5_000, 500, 1.0, 1, 100, 16, 1, 0.7, 4)
    shares = lease_shares(steep, 16, 1)
    found = fleet(asked, 8, 0, LIMITS, shares)
    assert found.utilisation > 1
    assert found.hottest_lease > 0.9
    assert containers_needed(asked, shares) is None
    laned = msgspec.structs.replace(asked, cores=2, lanes=2)
    assert fleet(laned, 8, 0, LIMITS, shares).hottest_lease == pytest.approx(found.hottest_lease / 2)
    even = lease_shares(EVEN, 16, 1)
    assert fleet(asked, 8, 0, LIMITS, even).utilisation < 0.75


@given(st.floats(0, 1e5), st.floats(0, 0.99), st.floats(0, 0.99))
def test_a_busier_fleet_never_catches_up_sooner(outage: float, one: float, other: float) -> None:
    """Catch-up grows with utilisation, and at one it never ends."""
    assert catch_up(outage, min(one, other)) <= catch_up(outage, max(one, other))
    assert catch_up(outage, 1.0) == float("inf")


def test_arm_costs_what_its_prices_say() -> None:
    """Two cores and four gigabytes for 730 hours, on both architectures."""
    prices = load_prices().region("us-east-1")
    assert monthly_cost(work(), 1, prices, "x86") == pytest.approx(730 * (2 * 0.04048 + 4 * 0.004445))
    assert monthly_cost(work(), 1, prices, "arm") == pytest.approx(730 * (2 * 0.03238 + 4 * 0.00356))


def test_the_command_tells_fit_and_misfit() -> None:
    """Exit 0 with enough containers, 2 with too few or with more work than leases can spread."""
    asked = ("workers", "--rate", "4000", "--milliseconds", "2", "--shards", "16", "--cores", "2")
    rate = "4,000 records/s (steady: the mean is the same)"
    first = f"For the 99.9 % hour, {rate}, you need 8 containers for 16 leases."
    done = run(*asked, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["schema"] == "shard-sizing/workers/4"
    assert run(*asked).stdout.startswith(first)
    assert run(*asked, "--containers", "3").exit_code == 2
    assert "hold no lease" in run(*asked, "--containers", "20").stdout
    done = run("workers", "--rate", "4000", "--milliseconds", "9", "--shards", "4")
    assert done.exit_code == 2
    assert "no fleet keeps the planned utilisation" in done.stdout


def test_one_core_at_a_time_works_on_a_key() -> None:
    """4,000 records a second of one key, half a millisecond each: lanes are no help, salt is."""
    asked = ("workers", "--rate", "4000", "--bytes", "50", "--keys", "1", "--milliseconds", "0.5")
    asked += ("--shards", "16", "--lanes", "16", "--cores", "16")
    done = run(*asked)
    assert done.exit_code == 2
    assert "the heaviest key alone keeps 200 % of a core busy" in done.stdout.splitlines()[0]
    assert run(*asked, "--salt", "16").exit_code == 0


def test_what_never_catches_up_is_no_fleet_that_one_needs() -> None:
    """The sentence and the exit status say the same: five readers of a shard want more than it gives."""
    asked = ("workers", "--rate", "4000", "--bytes", "3000", "--milliseconds", "0.1", "--shards", "16")
    alone, five, fan_out = (
        run(*asked, *more) for more in ((), ("--consumers", "5"), ("--consumers", "5", "--efo"))
    )
    assert (alone.exit_code, five.exit_code, fan_out.exit_code) == (0, 2, 0)
    assert "but never catch up after an outage" in five.stdout.splitlines()[0]
    slow = run(*asked, "--consumers", "2", "--catch-up", "0.5")
    assert (slow.exit_code, "but take too long to catch up" in slow.stdout.splitlines()[0]) == (2, True)
    polls = run(*asked, "--consumers", "9")
    assert (polls.exit_code, "which answers 5" in polls.stdout.splitlines()[0]) == (2, True)


def test_a_shard_that_throttles_its_producers_is_named() -> None:
    """Leases cannot have more records than their shards take."""
    asked = ("workers", "--milliseconds", "0.01", "--shards", "4", "--keys", "1000", "--rate")
    assert "it throttles its producers first" in run(*asked, "6000", "--bytes", "900").stdout
    assert "more than 1,000 reach one only in aggregates" in run(*asked, "6000", "--bytes", "50").stdout
    assert "busiest shard gets" not in run(*asked, "2000", "--bytes", "50").stdout


def test_fargate_sells_sizes_and_no_others() -> None:
    """Two cores come with four gigabytes at least, three are four, and beyond the largest there is none."""
    assert [task_for(*asked) for asked in ((0.25, 0.5), (2, 2), (3, 1), (8, 17), (1, 9))] == [
        (0.25, 0.5),
        (2, 4),
        (4, 8),
        (8, 20),
        (2, 9),
    ]
    with pytest.raises(InputError, match="the largest is 16 vCPUs and 120 GB"):
        task_for(16, 121)
    prices = load_prices().region("us-east-1")
    small = msgspec.structs.replace(work(), memory_gb=1)
    assert monthly_cost(small, 1, prices, "x86") == monthly_cost(work(), 1, prices, "x86")
