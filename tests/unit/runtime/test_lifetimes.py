"""Nothing that a replay or an open order needs is deleted before."""

import pytest

from orderstream_consumer.store import TableSpec
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    QueueSpec,
    Resource,
    SenderSpec,
    TopicSpec,
)
from orderstream_workers.runtime.topology.lifetimes import BACKUPS, LOGS, lifetime_of, needed_days
from orderstream_workers.runtime.topology.processes import ORDERS

PIPELINE = topology(Settings())
REPLAY_DAYS = ORDERS.retention_hours / 24


def kept(resource: Resource) -> float:
    found = lifetime_of(resource)
    assert found is not None
    return float("inf") if found.days is None else found.days


@pytest.mark.parametrize("resource", PIPELINE.resources, ids=lambda one: f"{type(one).__name__} {one.name}")
def test_each_store_has_a_lifetime_with_its_reason(resource: Resource) -> None:
    """Whatever keeps something says for how long, and why; what keeps nothing says nothing."""
    found = lifetime_of(resource)
    keeps = not isinstance(resource, TopicSpec | SenderSpec | HttpServiceSpec)
    assert (found is not None) == keeps
    assert found is None or found.because


def test_what_guards_an_order_outlives_any_replay_of_it() -> None:
    """State, parked records and the read model outlive the stream plus the longest open order."""
    for resource in PIPELINE.resources:
        if isinstance(resource, TableSpec | DatabaseSpec):
            assert kept(resource) >= needed_days(REPLAY_DAYS), resource.name


def test_the_archive_outlives_what_is_built_from_it() -> None:
    """An archiver may be as far behind as the stream is long: nothing moves to colder storage before."""
    for bucket in PIPELINE.of(BucketSpec):
        found = lifetime_of(bucket)
        assert found is not None
        assert kept(bucket) >= max(needed_days(REPLAY_DAYS), LOGS.days or 0, BACKUPS.days or 0)
        assert (found.colder_after or REPLAY_DAYS) >= REPLAY_DAYS


def test_a_payment_waits_for_longer_than_its_message_can_be_replayed() -> None:
    """A queue keeps its messages, and its dead letters, for longer than the stream does."""
    for queue in PIPELINE.of(QueueSpec):
        assert kept(queue) > REPLAY_DAYS


def test_a_store_can_be_restored_to_before_a_replay() -> None:
    """Backups and logs reach back beyond whatever a replay of the stream could have written wrongly."""
    assert (BACKUPS.days or 0) > needed_days(REPLAY_DAYS)
    assert (LOGS.days or 0) > needed_days(REPLAY_DAYS)
