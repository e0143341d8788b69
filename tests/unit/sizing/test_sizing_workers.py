"""Containers for a stream's consumers: the queue against exact results and simulation, and its bounds."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.model.data_files import load_limits, load_prices
from shard_sizing.model.workers import Work, catch_up, containers_needed, fleet, monthly_cost, wait_p99

LIMITS = load_limits()


def work(rate: float = 4_000, milliseconds: float = 2.0, leases: int = 16, readers: int = 1) -> Work:
    return Work(rate, 500, milliseconds, 2, 100, leases, readers, 0.7, 4)


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
    bound = fleet(work(leases=4, milliseconds=0.1, readers=4), 4, 3_600, LIMITS)
    u, k = 4_000 * 500 / 4 / 2**20, 4
    assert bound.catch_up_bound == "reads"
    assert bound.catch_up == pytest.approx(3_600 * u / (2 / k - u))
    assert fleet(work(), 8, 3_600, LIMITS).catch_up_bound == "work"


def test_containers_beyond_the_leases_are_idle() -> None:
    """A lease has one holder, so a seventeenth container for sixteen leases gets none."""
    assert fleet(work(), 20, 0, LIMITS).idle == 4


@given(st.floats(1, 1e5), st.floats(0.01, 50), st.integers(1, 200))
def test_the_containers_needed_keep_the_planned_utilisation(rate: float, ms: float, leases: int) -> None:
    """Their cores, busy as planned, do at least the work there is."""
    asked = work(rate, ms, leases)
    assert containers_needed(asked) * asked.cores * asked.utilisation >= rate * ms / 1000 * (1 - 1e-9)


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
    done = run(*asked, "--json")
    assert done.exit_code == 0
    assert json.loads(done.stdout)["schema"] == "shard-sizing/workers/2"
    assert run(*asked).stdout.startswith("You need 6 containers for 16 leases.")
    assert run(*asked, "--containers", "3").exit_code == 2
    assert "hold no lease" in run(*asked, "--containers", "20").stdout
    done = run("workers", "--rate", "4000", "--milliseconds", "9", "--shards", "4")
    assert done.exit_code == 2
    assert done.stdout.startswith("No fleet keeps up")
