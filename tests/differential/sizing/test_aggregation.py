"""How many user records share an aggregate: the SDK's own producers, and what is reckoned of them."""

import numpy as np
import pytest

from differential.sizing.packing import Producers, pack
from differential.sizing.sdk_producers import kinesis_records
from shard_sizing.model.law.aggregation import Aggregation, aggregated_bytes

SECONDS = 4

CASES = [
    # producers, user records a second, bytes, shards, linger, latency
    (12, 3_000, 106, 1, 0.0, 0.015),
    (40, 3_000, 106, 4, 0.0, 0.015),
    (40, 3_000, 106, 1, 0.1, 0.015),
    (5, 400, 2_000, 2, 0.5, 0.02),
]


@pytest.mark.parametrize(("producers", "rate", "size", "shards", "linger", "latency"), CASES)
def test_packing_is_what_the_sdk_does(
    producers: int, rate: int, size: int, shards: int, linger: float, latency: float
) -> None:
    """Kinesis records a second, and their bytes, within 4 % of those of the SDK's own producers."""
    sent = kinesis_records(producers, rate, size, shards, linger=linger, latency=latency, seconds=SECONDS)
    users = sum(record.user_records for record in sent)
    rng = np.random.default_rng(1)
    _, at, packed = pack(
        rng.integers(0, shards, users),
        rng.uniform(0, SECONDS, users),
        np.full(users, size),
        Producers(producers, linger, latency),
        rng,
    )
    assert at.size == pytest.approx(len(sent), rel=0.04)
    assert packed.sum() == pytest.approx(sum(record.size for record in sent), rel=0.04)


@pytest.mark.parametrize(("producers", "rate", "size", "shards", "linger", "latency"), CASES)
def test_the_model_of_aggregation_is_what_the_sdk_does(
    producers: int, rate: int, size: int, shards: int, linger: float, latency: float
) -> None:
    """The likely number of Kinesis records is that of the SDK's producers; the most is no less; bytes fit."""
    sent = kinesis_records(producers, rate, size, shards, linger=linger, latency=latency, seconds=SECONDS)
    aggregation = Aggregation(producers, linger, latency)
    users = np.array([sum(record.user_records for record in sent) / SECONDS / shards])
    likely = aggregation.kinesis_records(users, size)
    each_second = len(sent) / SECONDS / shards
    assert likely[0] == pytest.approx(each_second, rel=0.08)
    # A span that is cut anywhere holds a part of one more record of each producer.
    assert aggregation.most_kinesis_records(users, size)[0] >= 0.97 * each_second
    volume = sum(record.size for record in sent) / SECONDS / shards
    assert aggregated_bytes(users, likely, size)[0] == pytest.approx(volume, rel=0.05)
