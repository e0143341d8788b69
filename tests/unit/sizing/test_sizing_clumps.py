"""Keys that come in clumps: found in bounded memory, planned for, and named where no shard carries them."""

import json
from collections import Counter
from pathlib import Path

import msgspec
import numpy as np
import pytest

from fakes.sizing_cli import run
from shard_sizing.errors import InputError
from shard_sizing.model.capacity.demand import Demand, Question
from shard_sizing.model.capacity.sizing import size
from shard_sizing.model.data_files import load_limits
from shard_sizing.model.sampling.clump_counter import PairCounter, Part
from shard_sizing.model.sampling.sampler import Event, sample
from shard_sizing.model.sampling.synthetic import Synthetic, events
from shard_sizing.model.workload.clumps import Clump, Clumps
from shard_sizing.model.workload.keys import Salt
from shard_sizing.model.workload.profile import KeyShare, Profile, grown, planned_clumps, resized, synthetic

LIMITS = load_limits()
ORDERS = Path(__file__).parents[3] / "data/online-retail-2010-12.csv.gz"


def profile_with(clump: Clump, rate: float = 2_000, **fields: object) -> Profile:
    """Return a workload of even keys with one clump in its busiest minutes."""
    clumps = {"minute": Clumps(p999=(clump,), max=(clump,))}
    return msgspec.structs.replace(synthetic(rate, 500, 0.0, 0.0), clumps=clumps, **fields)


def test_the_heaviest_key_of_a_busy_minute_is_known() -> None:
    """Half an hour of even keys, and one order of 600 lines that all come in two seconds of one minute."""
    drawn: list[Event] = [(f"key-{i % 500}", i / 5, 100) for i in range(9_000)]
    drawn += [("order-7", 900.25 + (i % 2), 100) for i in range(600)]
    found = sample(drawn)
    [minute], [second] = found.clumps["minute"].max, found.clumps["second"].max
    assert (minute.key, second.key) == ("order-7", "order-7")
    assert (second.records, minute.records) == (300, 300)
    assert minute.lasting_records == pytest.approx(10)
    assert minute.bytes == pytest.approx(30_000)
    assert planned_clumps(grown(found, 3), "max-minute")[0].records == pytest.approx(900)
    assert planned_clumps(resized(found, 0.5), "max-minute")[0].bytes == pytest.approx(15_000)
    assert planned_clumps(found, "mean") == ()


@pytest.mark.parametrize("spec", [Synthetic(80, 240, 50), Synthetic(80, 240, 500, zipf=1.1, burst_cv=0.4)])
def test_chance_makes_no_clumps(spec: Synthetic) -> None:
    """Keys that come at random by their shares, even or steep, in bursts or not, are not said to clump."""
    assert not any(each.max for each in sample(events(spec, 3)).clumps.values())


@pytest.mark.parametrize("in_order", [True, False])
def test_pairs_are_counted_in_bounded_memory(in_order: bool) -> None:
    """In the order of time every count is certain; in any other it is never too high.

    Nor is it too low by more than is said.
    """
    rng = np.random.default_rng(4)
    times = np.arange(30_000) // 50
    keys = rng.integers(0, 100, times.size)
    keys[rng.random(times.size) < 0.3] = 7
    order = np.arange(times.size) if in_order else rng.permutation(times.size)
    true = Counter(zip((times // 60).tolist(), keys.tolist(), strict=True))
    counter = PairCounter(60, 200)
    for part in np.array_split(order, 60):
        names = np.array([f"key-{key}" for key in keys[part].tolist()], dtype=object)
        hashes = np.array([hash(name) for name in names], dtype=np.int64)
        counts = np.stack([np.ones(part.size), np.full(part.size, 10.0)])
        counter.add(Part(names, hashes, times[part], counts))
    pairs = counter.pairs
    assert pairs.key.size <= 5 * 400
    found = {
        (interval, int(key[4:])): count
        for interval, key, count in zip(pairs.interval.tolist(), pairs.key, pairs.counts[0], strict=True)
    }
    missed = max(true[pair] - found.get(pair, 0) for pair in true if pair[1] == 7)
    assert 0 <= missed <= counter.error * 60
    assert all(count <= true[pair] for pair, count in found.items())
    assert (counter.error == 0) is in_order


def test_no_number_of_shards_carries_a_key_that_makes_the_peak(tmp_path: Path) -> None:
    """Real orders, a thousand times as large: one of them has nearly all lines of its minute, on one key.

    The first sentence says so, and what does carry it.
    """
    file = str(tmp_path / "orders.json")
    run("sample", str(ORDERS), "--key", "InvoiceNo", "--timestamp", "InvoiceDate", "--out", file)
    done = run("size", file, "--growth", "1000")
    first = done.stdout.splitlines()[0]
    assert done.exit_code == 3
    assert first.startswith(
        "For the 99.9 % minute, 2,346 records/s (107 times the mean), no number of shards"
    )
    for words in (
        "one key, such as '539718', brings up to 2,283 records/s",
        "--salt",
        "pace",
        "the order's line",
    ):
        assert words in first, words
    hot = run("hotkeys", file, "--growth", "1000")
    assert hot.stdout.startswith("1 key is too heavy for half a shard")
    small = run("size", file, "--growth", "100")
    assert small.exit_code == 0
    assert "in the busiest minute one key, '537434', brings 1,125 records/s" in small.stdout


def test_salting_spreads_a_clump() -> None:
    """Its key is the heaviest then, so it is what is salted; the number found holds the whole load."""
    clump = Clump("order", 1_500, 750_000, 1_500, 750_000)
    demand = Demand(at="p99.9-minute")
    assert size(profile_with(clump), LIMITS, demand).shards is None
    salted = size(profile_with(clump), LIMITS, msgspec.structs.replace(demand, salt=Salt(8)))
    assert salted.shards is not None
    assert salted.shards > 2


def test_a_clump_takes_its_part_of_the_peak_and_no_more() -> None:
    """What lasts for the minute is part of its rate; a clump within a second comes on top.

    Not so for readers, who have the whole minute.
    """
    demand = Demand(at="p99.9-minute")
    lasting = Question(profile_with(Clump("a", 500, 250_000, 500, 250_000)), LIMITS, demand)
    short = Question(profile_with(Clump("a", 500, 250_000, 8, 4_000)), LIMITS, demand)
    # In the second in a thousand, chance makes 435 records a second the 500 that were seen.
    for asked, records in ((lasting, 1.0), (short, 1.2135)):
        apart = asked.keys.apart()
        assert apart.times is not None
        assert float((apart.records * apart.times).sum()) == pytest.approx(records, abs=2e-3)
        assert float((asked.volume(apart) * apart.times).sum()) == pytest.approx(1_000_000)


def test_exact_is_only_what_comes_again(tmp_path: Path) -> None:
    """Tenants that come all the time lie where they lie; orders that come once fall anywhere next time."""
    tenants = sample((f"tenant-{i % 40}", i / 500, 100) for i in range(60_000))
    orders = sample((f"order-{i // 50}", i / 500, 100) for i in range(60_000))
    assert {key.recurs for key in tenants.key_list} == {True}
    assert not any(key.recurs for key in orders.key_list)
    for profile, exact in ((tenants, True), (orders, False)):
        file = tmp_path / "profile.json"
        file.write_bytes(msgspec.json.encode(grown(profile, 4)))
        done = run("size", str(file), "--json")
        assert json.loads(done.stdout)["exact"] is exact
        told = run("size", str(file)).stdout
        assert ("exactly: it is known where the whole load lies" in told) is exact
        assert ("fit in 90 % of placements" in told.splitlines()[0]) is not exact


def test_a_key_that_did_not_come_again_keeps_its_weight() -> None:
    """Its share is known though its position is not: it is placed anywhere with what it weighs."""
    keys = (KeyShare("tenant", 0.7, 0.7), KeyShare("order", 0.3, 0.3, recurs=False))
    profile = msgspec.structs.replace(synthetic(900, 500, 0.0, 0.0, keys=2), key_list=keys)
    asked = Question(profile, LIMITS, Demand(at="mean"))
    assert asked.keys.placed[:, 0].tolist() == pytest.approx([0.7])
    assert (asked.keys.counts, asked.keys.each[:, 0].tolist()) == ((1,), [pytest.approx(0.3)])
    assert not asked.keys.exact


def test_orders_of_many_lines_are_no_bursts_of_the_stream() -> None:
    """Forty orders a second, all lines of each at once: that is the keys' company, and no common burst."""
    rng = np.random.default_rng(2)
    seconds = np.repeat(np.arange(300), rng.poisson(40, 300))
    lines = rng.integers(1, 60, seconds.size)
    drawn = zip(
        np.repeat(np.arange(lines.size), lines).tolist(), np.repeat(seconds, lines).tolist(), strict=True
    )
    found = sample((f"order-{order}", second + 0.5, 100) for order, second in drawn)
    other_lines = float((lines * (lines - 1)).sum() / lines.sum())
    assert found.clumps["second"].company == pytest.approx(other_lines, rel=0.02)
    assert found.burst_cv < 0.08
    assert sample(events(Synthetic(200, 240, 50), 1)).clumps["second"].company == 0


def test_records_that_come_together_need_room_together() -> None:
    """What a shard takes on average throttles it sooner where its records come forty at a time."""
    even = synthetic(5_000, 500, 0.0, 0.0)
    clumps = {"second": Clumps(company=39.0)}
    together = msgspec.structs.replace(even, clumps=clumps)
    apart, at_once = (size(profile, LIMITS).shards for profile in (even, together))
    assert apart is not None
    assert at_once is not None
    assert at_once > 1.3 * apart


def many_orders(each: int, lines: int) -> Profile:
    """Return a shop of an hour in whose busy minute, one in sixty, so many orders have so many lines."""
    drawn: list[Event] = [(f"order-{i % 900}", float(i % 60 * 60), 100) for i in range(36_000)]
    drawn += [(f"order-{1_000 + i}", 1_800.0, 100) for i in range(each) for _ in range(lines)]
    return sample(drawn, span=(0, 3_599))


def test_no_key_of_a_busy_minute_is_left_out() -> None:
    """A hundred orders make the peak, and sixteen of them a sixth of it: all of them are planned for."""
    profile = grown(many_orders(100, 60), 40)
    asked = Question(profile, LIMITS, Demand(at="max-minute"))
    assert sum(clump.keys for clump in asked.clumps) == pytest.approx(100, rel=0.13)
    apart = asked.keys.apart()
    assert apart.times is not None
    heavy = apart.records[0] > 0.009
    assert float(apart.times[0][heavy].sum()) == pytest.approx(100, rel=0.13)


def test_growth_by_more_keys_leaves_each_as_busy_as_it_is() -> None:
    """A thousand times as many orders are a thousand times the load, and no order is larger."""
    found = many_orders(2, 600)
    busier, more = grown(found, 1_000), grown(found, 1_000, "more-keys")
    demand = Demand(at="max-minute")
    assert size(busier, LIMITS, demand).shards is None
    asked = Question(more, LIMITS, demand)
    assert asked.rate == Question(busier, LIMITS, demand).rate
    assert float(asked.keys.apart().records.max()) * asked.rate < 11
    assert size(more, LIMITS, demand).shards is not None
    with pytest.raises(InputError, match=r"0\.5 times as many keys"):
        grown(found, 0.5, "more-keys")


@pytest.mark.parametrize("growth", [1.5, 4.0])
def test_newcomers_weigh_what_the_known_keys_weigh(growth: float) -> None:
    """Tenants that are known stay where they lie with a smaller share; the others fall anywhere."""
    tenants = sample((f"tenant-{i % 40 % 7}", i / 500, 100) for i in range(6_000))
    asked = Question(grown(tenants, growth, "more-keys"), LIMITS, Demand(at="mean"))
    keys, alone = asked.keys, Question(tenants, LIMITS, Demand(at="mean")).keys
    assert keys.placed[:, 0].tolist() == pytest.approx((alone.placed[:, 0] / growth).tolist())
    assert keys.known == pytest.approx(1 / growth)
    assert float(keys.each[:, 0].max()) <= float(keys.placed[:, 0].max()) * (1 + 1e-9)


def test_what_grows_is_asked_for(tmp_path: Path) -> None:
    """Growth is told apart in words: who says nothing reads what is taken, and what to say else."""
    file = str(tmp_path / "orders.json")
    run("sample", str(ORDERS), "--key", "InvoiceNo", "--timestamp", "InvoiceDate", "--out", file)
    silent, said = (run("size", file, "--growth", "1000", *by) for by in ((), ("--growth-by", "more-keys")))
    assert "1,000 times as busy" in silent.stderr
    assert "--growth-by more-keys" in silent.stderr
    assert "times as busy" not in said.stderr
    assert (silent.exit_code, said.exit_code) == (3, 0)
    assert run("hotkeys", file, "--growth", "1000", "--growth-by", "more-keys").exit_code == 0
    refused = run("size", file, "--growth", "9", "--growth-by", "more-keys", "--salt", "4")
    assert refused.exit_code == 1
    assert "--salt is for keys that are known" in refused.stderr
