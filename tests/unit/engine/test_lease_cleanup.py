"""Which leases are deleted: KCL's own cases, and where we are more careful."""

import pytest

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.embedded.lifecycle.lease_cleanup import leases_to_delete
from orderstream_consumer.processing.record import Position

# 0 was split into 1 and 2; 2 and 3 were merged into 4.
PARENTS = {"0": "", "1": "0", "2": "0", "3": "", "4": "23"}
CHILDREN = {"0": "12", "1": "", "2": "4", "3": "4", "4": ""}
SHARDS = [
    Shard(key, HashRange(0, 9), frozenset(parents), is_open=key in "14") for key, parents in PARENTS.items()
]
BEGUN = Position(1)


def deleted(listed: list[Shard] = SHARDS, **checkpoints: object) -> str:
    leases = [
        Lease(
            lease_key=key[1:],
            checkpoint=checkpoint,  # type: ignore[arg-type]
            parent_shard_ids=frozenset(PARENTS[key[1:]]),
            child_shard_ids=frozenset(CHILDREN[key[1:]]) if checkpoint == "SHARD_END" else frozenset(),
        )
        for key, checkpoint in checkpoints.items()
    ]
    return ",".join(lease.lease_key for lease in leases_to_delete(listed, leases))


def test_a_split_shard_goes_once_both_children_have_begun() -> None:
    """Their leases prove that it is done."""
    assert deleted(_0="SHARD_END", _1=BEGUN, _2=BEGUN, _3=BEGUN) == "0"
    assert deleted(_0="SHARD_END", _1=BEGUN, _2="SHARD_END", _3=BEGUN) == "0"


@pytest.mark.parametrize("child", ["TRIM_HORIZON", "AT_TIMESTAMP", "LATEST"])
def test_a_child_that_has_not_begun_keeps_its_parent(child: str) -> None:
    """Where it begins depends on its parent."""
    assert deleted(_0="SHARD_END", _1=BEGUN, _2=child) == ""


def test_a_child_without_a_lease_keeps_its_parent() -> None:
    """The parent's lease is what says that the child begins at its beginning."""
    assert deleted(_0="SHARD_END", _1=BEGUN) == ""


def test_merged_shards_go_once_their_child_has_begun() -> None:
    """Both, as their own parents' leases are gone; else they wait for those."""
    assert deleted(_2="SHARD_END", _3="SHARD_END", _4=BEGUN) == "2,3"
    assert deleted(_0="SHARD_END", _1=BEGUN, _2="SHARD_END", _3="SHARD_END", _4=BEGUN) == "0,3"


def test_a_shard_that_has_not_ended_stays() -> None:
    """Also if it is no longer listed: its owner ends it."""
    assert deleted(_0=BEGUN, _1=BEGUN, _2=BEGUN) == ""
    assert deleted(SHARDS[1:], _0=BEGUN, _1=BEGUN, _2=BEGUN) == ""


def test_a_shard_past_retention_goes() -> None:
    """With children that are past retention as well, or that have begun; not before one that has not."""
    assert deleted(SHARDS[4:], _2="SHARD_END") == ""
    assert deleted(SHARDS[4:], _2="SHARD_END", _4=BEGUN) == "2"
    assert deleted(SHARDS[4:], _0="SHARD_END", _4=BEGUN) == "0"
    assert deleted(SHARDS[1:], _0="SHARD_END", _1=BEGUN) == ""


def test_an_ended_shard_whose_children_are_not_listed_yet_stays() -> None:
    """The listing may lag behind."""
    leases = [Lease(lease_key="0", checkpoint="SHARD_END")]
    assert leases_to_delete(SHARDS[:1], leases) == []
