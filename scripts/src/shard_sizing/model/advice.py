"""What a planner is told beside a number of shards, or in place of one."""

import math
from typing import Final

import numpy as np

from shard_sizing.model.demand import Question
from shard_sizing.model.stream_law import DEFAULT_RECORD_LIMIT
from shard_sizing.model.targeted import MOST_SHARDS

_LARGE_RECORD: Final = 100_000  # bytes: ten of them fill a shard's second
_MOST_WAYS: Final = 1_000  # of a salted key, in the SDK


def too_large(question: Question) -> str:
    """Say what to do about records over the stream's maximum record size."""
    limit = question.demand.record_limit
    return (
        f"{question.oversized:.2%} of the records are over the stream's maximum record size of "
        f"{limit / 1024:,.0f} KiB, and are refused: raise it by UpdateMaxRecordSize, to at most 10,240 KiB "
        "(--max-record-kib), or keep large payloads in S3"
    )


def heaviest(question: Question) -> str:
    """Say what to do about keys that overload a shard alone."""
    law, apart = question.law, question.keys.apart()
    pack = ""
    if law.binding == "records" and law.traffic.aggregation is None:
        pack = "aggregate records (--aggregate), so that fewer count; "
    load = max(float(apart.records.max()), float(apart.bytes.max())) * question.rate / law.full
    ways = max(2, math.ceil(2 * load * (1 + 3 * question.profile.burst_cv)))
    spread = (
        f"salt it over {ways:,} sub-keys or more (--salt {ways}), which gives up its order across sub-keys; "
        if ways <= _MOST_WAYS
        else ""
    )
    return (
        f"the heaviest key alone overloads a shard; {pack}{spread}or key by a finer entity, such as the "
        "order in place of the customer"
    )


def too_many(question: Question) -> str:
    """Say what to do where no quota allows enough shards."""
    pack = "aggregate records; " if question.law.traffic.aggregation is None else ""
    large = "keep large payloads in S3; " if question.law.traffic.record_bytes > _LARGE_RECORD else ""
    return (
        f"{MOST_SHARDS:,}, the most that a quota allows, are too few; {large}{pack}spread the keys over "
        "several streams"
    )


def notes(question: Question) -> tuple[str, ...]:
    """Say what a planner must know beside the number."""
    law, found = question.law, []
    sizes = np.array(law.traffic.sizes)
    large = sizes[:, 0] > DEFAULT_RECORD_LIMIT
    if law.large and large.any():
        share = float(sizes[large].prod(axis=1).sum() / sizes.prod(axis=1).sum())
        found.append(
            f"Records over 1 MiB carry {share:.0%} of the bytes. AWS (Handle large records) asks to keep "
            'them below 2 % of the traffic: a shard takes them by "temporarily bursting beyond its sustained '
            'write throughput", like "a tank that refills at a steady rate", here of 10 MiB at the limit of '
            "bytes; the rate truly depends on sizes, traffic and keys, and AWS does not say how."
        )
    elif law.lump_bytes > _LARGE_RECORD:
        found.append(
            f"A mean byte is in a record of {law.lump_bytes:,.0f} bytes, so few records fill a shard's "
            "second: how AWS counts within it decides, and a retry a second later passes."
        )
    if question.oversized and question.profile.records:
        found.append(f"{question.oversized:.3%} of the records are over the stream's maximum record size.")
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
