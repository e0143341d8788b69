"""Advice for a planner, beside a number of shards or instead of one."""

from collections.abc import Iterator
from typing import Final

import numpy as np

from shard_sizing.model.capacity.demand import Question
from shard_sizing.model.capacity.overloading import overloading
from shard_sizing.model.capacity.salting import least_salt
from shard_sizing.model.capacity.targeted import MOST_SHARDS
from shard_sizing.model.law.stream_law import DEFAULT_RECORD_LIMIT
from shard_sizing.model.percent import percent
from shard_sizing.model.workload.clumps import Clump
from shard_sizing.model.workload.keys import Salt
from shard_sizing.model.workload.peaks import parsed_peak
from shard_sizing.model.workload.profile import Profile, planned_clumps

_LIGHT: Final = 0.5  # of what a shard takes: a key below is not what overloads it
_SMALLER: Final = "make records smaller (compress them, or keep payloads in S3 and send where they are)"
_LARGE_RECORD: Final = 100_000  # bytes: ten of them fill a shard's second
_LONGEST_NAME: Final = 40  # characters of a key that are shown
_UNSEEN: Final = 0.05  # of what a shard takes: from there on it is said what may have been missed


def too_large(question: Question) -> str:
    """Say what to do about records over the stream's maximum record size."""
    limit = question.demand.record_limit
    return (
        f"{percent(question.oversized, 2)} of the records are over the stream's maximum record size of "
        f"{limit / 1024:,.0f} KiB, and are refused: raise it by UpdateMaxRecordSize, to at most 10,240 KiB "
        "(--max-record-kib), or keep large payloads in S3"
    )


def heaviest(question: Question) -> str:
    """Say what to do about keys that overload a shard alone."""
    law, salt, apart = question.law, least_salt(question), question.keys.apart()
    lumpy = salt is None and law.lump_bytes > _LARGE_RECORD and not question.clumps
    load = max(float(apart.records.max()), float(apart.bytes.max())) * question.rate / law.full
    if lumpy and load < _LIGHT:
        return (
            f"{_filled(question)}, and two that meet on a shard within a second throttle however many shards "
            f"there are: {_SMALLER}"
        )
    pack = f"{_SMALLER}; " if lumpy else ""
    if law.binding == "records" and law.traffic.aggregation is None:
        pack = "aggregate records (--aggregate), so that fewer count; "
    spread = f"{_salting(salt)}; " if salt else ""
    known = float(apart.records[:, : question.keys.placed.shape[0]].max(initial=0.0)) * question.rate
    if max((clump.records for clump in question.clumps), default=0.0) <= known:
        return (
            f"{_blamed(question)}; {pack}{spread}or key by a finer entity, such as the order in place of the "
            "customer"
        )
    clump = planned_clumps(question.profile, question.demand.at)[0]
    return (
        f"one key, such as {_named(clump.key)}, brings up to {_rates(clump)}, and a key never gets more than "
        f"one shard's {question.limits.records_per_second:,} records/s and "
        f"{question.limits.bytes_per_second / 1e6:,.3g} MB/s; {pack}{spread}pace the key at its producer; or "
        "key by a finer entity, such as the order's line in place of the order"
    )


def _blamed(question: Question) -> str:
    """Say how many keys are too heavy."""
    heavy = overloading(question)
    keys = "keys" if question.demand.salt.ways == 1 else "keys and sub-keys"
    if heavy == 0:
        return f"the heaviest {keys} throttle too many seconds together, though each has a shard of its own"
    if heavy == 1:
        return "the heaviest key alone overloads a shard"
    them = keys if heavy == question.keys.number else f"heaviest {keys}"
    return f"each of the {heavy:,} {them} alone overloads a shard"


def _salting(salt: Salt) -> str:
    options, them, their = f"--salt {salt.ways}", "it", "its"
    if salt.heaviest > 1:
        options, them, their = (
            f"{options} --salt-heaviest {salt.heaviest}",
            f"the {salt.heaviest:,} heaviest",
            "their",
        )
    return (
        f"salt {them} over {salt.ways:,} sub-keys or more ({options}), which gives up {their} order across "
        "sub-keys"
    )


def _filled(question: Question) -> str:
    """Say how few records fill a shard's second."""
    sizes = np.array([atom for atom in question.profile.sizes if atom[0] <= question.demand.record_limit])
    mean_byte = float(sizes[:, 0] ** 2 @ sizes[:, 1] / (sizes[:, 0] @ sizes[:, 1]))
    number = question.limits.bytes_per_second / mean_byte
    fill = "one fills" if number < 2 else f"{number:,.0f} fill"
    return f"most bytes are in records of about {mean_byte:,.0f} bytes, of which {fill} a shard's second"


def _named(key: str) -> str:
    return f"{key[:_LONGEST_NAME]!r}" if key else "the empty one"


def _rates(clump: Clump) -> str:
    return f"{clump.records:,.0f} records/s ({clump.bytes / 1e6:,.2g} MB/s)"


def too_many(question: Question) -> str:
    """Say what to do where no quota allows enough shards."""
    pack = "aggregate records; " if question.law.traffic.aggregation is None else ""
    large = "keep large payloads in S3; " if question.law.traffic.record_bytes > _LARGE_RECORD else ""
    return (
        f"{MOST_SHARDS:,}, the most that a quota allows, are too few; {large}{pack}spread the keys over "
        "several streams"
    )


def notes(question: Question, *, fits: bool) -> tuple[str, ...]:
    """Say what a planner must know beside the number, or beside the reason why there is none."""
    law, found = question.law, list(_made_up(question.profile))
    sizes = np.array(law.traffic.sizes)
    large = sizes[:, 0] > DEFAULT_RECORD_LIMIT
    if law.large and large.any():
        share = float(sizes[large].prod(axis=1).sum() / sizes.prod(axis=1).sum())
        found.append(
            f"Records over 1 MiB carry {percent(share)} of the bytes. AWS (Handle large records) asks to "
            'keep them below 2 % of the traffic: a shard takes them by "temporarily bursting beyond its '
            'sustained write throughput", like "a tank that refills at a steady rate", here of 10 MiB at the '
            "limit of bytes; the rate truly depends on sizes, traffic and keys, and AWS does not say how."
        )
    elif fits and law.lump_bytes > _LARGE_RECORD:
        filled = _filled(question)
        found.append(
            f"{filled[0].upper()}{filled[1:]}: those that meet in one throttle, so chance asks for more "
            "shards than the load does. How AWS counts within a second decides, and a retry a second later "
            "passes. Smaller records need far fewer shards: compress them (--compress), or keep payloads in "
            "S3."
        )
    if question.oversized and question.profile.records:
        found.append(
            f"{percent(question.oversized, 3)} of the records are over the stream's maximum record size."
        )
    found += _on_clumps(question, fits=fits)
    packing = law.traffic.aggregation
    if packing is not None and question.demand.aggregation is not None:
        rate = np.array([question.rate])
        most = float(law.kinesis_records(rate)[0])
        likely = float(packing.kinesis_records(rate, law.traffic.record_bytes)[0])
        found.append(
            f"{packing.producers:,.0f} producers would make {likely:,.0f} Kinesis records/s of the whole "
            f"load on one shard if it comes at random, {most:,.0f} if evenly paced, which is planned for; on "
            "more shards fewer user records share an aggregate."
        )
    elif packing is not None:
        found.append(
            "Kinesis records are counted as measured: each shard gets as many as the busiest one did."
        )
    return tuple(found)


def _made_up(profile: Profile) -> Iterator[str]:
    """Say what was assumed and not measured: the result is only as good as the assumption."""
    if not profile.records and profile.hash_load is None and not profile.known_keys():
        skew = f"by Zipf {profile.zipf.exponent:g}" if profile.zipf.exponent else "of equal load"
        bursts = f"bursts of CV {profile.burst_cv:g}" if profile.burst_cv else "no bursts within minutes"
        yield (
            f"Made up, not measured: {profile.keys:,} keys {skew}, records of {profile.record_bytes:,.0f} "
            f"bytes, {bursts}."
        )


def _on_clumps(question: Question, *, fits: bool) -> Iterator[str]:
    """Say how the keys of busy times come, where that matters."""
    profile, limits = question.profile, question.limits
    if question.clumps:
        heaviest = planned_clumps(profile, question.demand.at)[0]
        if fits:
            yield (
                "At this peak single keys bring more than their share of the whole, the heaviest "
                f"{_rates(heaviest)}, such as {_named(heaviest.key)}; it is planned for wherever it falls."
            )
        if profile.resolution > 1:
            yield (
                f"Times are in steps of {profile.resolution:,} s, so a key's records are taken to come "
                "evenly over a step. Where they come within a second, their shard throttles in it: sample "
                "times in seconds, or pace the records at the producer."
            )
    parsed = parsed_peak(question.demand.at)
    found = profile.clumps.get(parsed[1]) if parsed else None
    if parsed and found:
        worst = max(found.max, key=lambda clump: clump.records, default=None)
        if parsed[0] != "max" and worst and worst.records > limits.records_per_second:
            yield (
                f"Beyond this rate: in the busiest {parsed[1]} one key, {_named(worst.key)}, brings "
                f"{_rates(worst)}, more than any shard takes (--at max-{parsed[1]})."
            )
        if found.error > _UNSEEN * limits.records_per_second:
            yield (
                "The input is not in the order of its times, so a key may have brought up to "
                f"{found.error:,.0f} records/s more in a busy {parsed[1]} than was seen: sort it by time."
            )
