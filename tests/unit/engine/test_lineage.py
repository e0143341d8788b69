"""Which leases are created from which lineage: the cases of KCL's own tests, and where we differ.

Three lineages, as KCL's tests draw them; ``o`` marks an open shard.
"""

import datetime as dt
import re
from dataclasses import replace
from random import Random

import msgspec
import pytest

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.embedded.leases import Lease
from orderstream_consumer.engines.embedded.lifecycle.shard_sync import (
    leases_at_end,
    leases_to_create,
    to_be_waited_for,
)
from orderstream_consumer.processing.record import Position

LINEAGES = {
    "A": "0[]0-99 1[]100-199 2[]200-299 3[]300-399 4o[]400-499 5[]500-999 6[0,1]0-199 7[2,3]200-399 "
    "8o[6,7]0-399 9o[5]500-799 10o[5]800-999",
    "B": "0[]0-499 1[]500-999 2[0,1]0-999 3[2]0-499 4[2]500-999 5[3,4]0-999 6[5]0-499 7[5]500-999 "
    "8[6,7]0-999 9o[8]0-499 10o[8]500-999",
    "C": "0[]0-399 1o[]400-499 2[]500-599 3[]600-999 4[0]0-199 5[0]200-399 6o[2,3]500-999 7o[4]0-99 "
    "8o[4]100-199 9o[5]200-299 10o[5]300-399",
}
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)


def lineage(text: str) -> list[Shard]:
    return [
        Shard(
            number,
            HashRange(int(low), int(high)),
            frozenset(parents.split(",")) if parents else frozenset(),
            is_open=bool(is_open),
            starting_sequence_number=int(number),
        )
        for number, is_open, parents, low, high in re.findall(r"(\d+)(o?)\[([\d,]*)\](\d+)-(\d+)", text)
    ]


def held(text: str, shards: list[Shard], checkpoint: object = Position(1)) -> list[Lease]:
    by_id = {shard.shard_id: shard for shard in shards}
    return [Lease.of_shard(by_id[key], checkpoint) for key in text.split(",") if key]  # type: ignore[arg-type]


def waited_for(child: str, shards: list[Shard], leases: list[Lease]) -> set[str]:
    (lease,) = [lease for lease in leases if lease.lease_key == child] or held(child, shards, "TRIM_HORIZON")
    return set(to_be_waited_for(lease, shards, [*leases, lease]))


def created(shards: list[Shard], leases: list[Lease], position: str) -> str:
    return ",".join(lease.lease_key for lease in leases_to_create(shards, leases, position, NOON))  # type: ignore[arg-type]


TABLE = [
    ("A", "3,4,5", "2,6", "0,1,2"),
    ("A", "4,5,7", "6", "0,1"),
    ("A", "2,6", "3,4,9,10", "3,4,5"),
    ("A", "4,9,10", "8", "0,1,2,3"),
    ("A", "4,5,6,7", "", ""),
    ("A", "0,1,2,3,4,5,6,7", "", ""),
    ("A", "0,1,4,7,9,10", "", ""),
    ("A", "", "4,8,9,10", "0,1,2,3,4,5"),
    ("A", "1,2,3,4,5,7,9,10", "0", "0"),
    ("B", "5", "", ""),
    ("B", "0,1,2,3,4,5", "", ""),
    ("B", "", "9,10", "0,1"),
]


@pytest.mark.parametrize(("graph", "leases", "latest", "others"), TABLE)
def test_missing_leases_are_those_that_kcl_creates(graph: str, leases: str, latest: str, others: str) -> None:
    """Whatever a crash left of the first leases, the rest is created, and nothing that was done."""
    shards = lineage(LINEAGES[graph])
    assert created(shards, held(leases, shards), "LATEST") == latest
    assert created(shards, held(leases, shards), "TRIM_HORIZON") == others
    assert created(shards, held(leases, shards), "AT_TIMESTAMP") == others


def test_new_leases_begin_at_the_initial_position() -> None:
    """And LATEST at the moment of the listing, so that it means the same whoever begins, and when."""
    shards = lineage(LINEAGES["A"])
    for position in ("LATEST", "TRIM_HORIZON", "AT_TIMESTAMP"):
        leases = leases_to_create(shards, held("3,4,5", shards), position, NOON)  # type: ignore[arg-type]
        assert {lease.checkpoint for lease in leases} == {position}
        assert {lease.done_until for lease in leases} == {NOON if position == "LATEST" else None}


def test_what_hangs_above_a_lease_at_latest_was_not_wanted() -> None:
    """A crash in the first synchronization: the rest begins at LATEST too, as with KCL."""
    shards = lineage(LINEAGES["C"])
    assert created(shards, held("9,10", shards, "LATEST"), "LATEST") == "1,6,7,8"


def test_the_sibling_of_a_lineage_that_was_worked_on_is_read_from_its_start() -> None:
    """Two cases in which KCL would skip it: once a descendant has a position, its ancestors were done."""
    shards = lineage(LINEAGES["C"])
    assert created(shards, held("9,10", shards), "LATEST") == "1,4,6"
    four = leases_to_create(shards, held("9,10", shards), "LATEST", NOON)[1]
    assert (four.checkpoint, four.done_until) == ("TRIM_HORIZON", None)
    shards = lineage(LINEAGES["B"])
    for position in ("LATEST", "TRIM_HORIZON"):
        (seven,) = leases_to_create(shards, held("6", shards), position, NOON)  # type: ignore[arg-type]
        assert (seven.lease_key, seven.checkpoint) == ("7", "TRIM_HORIZON")


def test_a_child_whose_parents_lease_was_deleted_is_read() -> None:
    """By hand or by a cleanup: the parent counts as done, so its other child begins at its beginning."""
    shards = lineage("0[]0-999 1o[0]0-499 2o[0]500-999")
    for position, begins in (
        ("TRIM_HORIZON", "TRIM_HORIZON"),
        ("LATEST", "TRIM_HORIZON"),
        ("AT_TIMESTAMP", "AT_TIMESTAMP"),
    ):
        (lease,) = leases_to_create(shards, held("1", shards), position, NOON)  # type: ignore[arg-type]
        assert (lease.lease_key, lease.checkpoint) == ("2", begins)


@pytest.mark.parametrize("position", ["TRIM_HORIZON", "AT_TIMESTAMP"])
def test_a_parent_whose_lease_was_deleted_before_its_end_is_read(position: str) -> None:
    """That its merged child has a lease proves nothing: the child waits for it. KCL would skip the parent."""
    shards = lineage("0[]0-499 1[]500-999 2o[0,1]0-999")
    leases = [*held("0", shards, "SHARD_END"), *held("2", shards, position)]
    (lease,) = leases_to_create(shards, leases, position, NOON)  # type: ignore[arg-type]
    assert (lease.lease_key, lease.checkpoint) == ("1", position)
    assert waited_for("2", shards, leases) == {"1"}
    assert waited_for("2", shards, [*leases, lease]) == {"1"}
    assert waited_for("2", shards, [*leases, lease.checkpointed("SHARD_END")]) == set()
    assert waited_for("2", shards, held("0,2", shards)) == {"0"}


def test_a_merged_parent_whose_lease_was_deleted_before_it_had_ended_is_read() -> None:
    """The child has not begun and the other parent's lease stands: nothing says that this one is done."""
    shards = lineage("0[]0-499 1[]500-999 2o[0,1]0-999")
    assert created(shards, held("2", shards, "TRIM_HORIZON"), "LATEST") == "0,1"
    for position in ("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"):
        begins = "AT_TIMESTAMP" if position == "AT_TIMESTAMP" else "TRIM_HORIZON"
        child = held("2", shards, begins)
        for other in (Position(1), "SHARD_END"):
            leases = [*child, *held("0", shards, other)]
            (lease,) = leases_to_create(shards, leases, position, NOON)  # type: ignore[arg-type]
            assert (lease.lease_key, lease.checkpoint) == ("1", begins)
            assert created(shards, [*held("2", shards), *leases[1:]], position) == ""
            assert created(shards, [*held("2", shards, "LATEST"), *leases[1:]], position) == ""


def test_what_came_before_a_lost_parent_is_not_read_again() -> None:
    """It was done, or the parent would not have had a lease."""
    shards = lineage("0[]0-999 1[0]0-499 2[0]500-999 3o[1,2]0-999")
    leases = [*held("3", shards, "TRIM_HORIZON"), *held("1", shards)]
    for position in ("TRIM_HORIZON", "LATEST"):
        (lease,) = leases_to_create(shards, leases, position, NOON)  # type: ignore[arg-type]
        assert (lease.lease_key, lease.checkpoint) == ("2", "TRIM_HORIZON")


def test_a_fresh_application_takes_two_open_shards() -> None:
    """A lease each, at the initial position."""
    shards = lineage("0o[]0-499 1o[]500-999")
    assert created(shards, [], "LATEST") == created(shards, [], "TRIM_HORIZON") == "0,1"


def test_from_latest_a_closed_shard_is_left_out() -> None:
    """Nothing of it was wanted, and nobody waits for it."""
    shards = lineage("303[]0-1 304[]2-3 305[]4-5 404[]6-7 405o[303,304]0-3")
    assert created(shards, [], "LATEST") == "405"


def test_a_child_whose_parent_is_open_gets_no_lease() -> None:
    """In the middle of a reshard: what the child takes before its parent ends is not lost."""
    shards = [replace(x, is_open=x.is_open or x.shard_id == "5") for x in lineage(LINEAGES["A"])]
    assert created(shards, [], "LATEST") == "4,5,8"
    shards = lineage("0o[]0-499 1o[]500-999 2o[1]500-599 3[]0-999")
    assert created(shards, held("3", shards), "LATEST") == "0,1"


def test_older_shards_come_first() -> None:
    """A crash in between leaves out the younger ones."""
    shards = lineage(LINEAGES["A"])
    Random(1).shuffle(shards)
    assert created(shards, [], "TRIM_HORIZON") == "0,1,2,3,4,5"


def test_the_children_of_a_shard_that_ends() -> None:
    """A split's both; a merge's one once the other parent has a lease, is done or is past retention."""
    shards = lineage(LINEAGES["A"])

    def at_end(key: str, others: str, listed: list[Shard] = shards) -> list[str]:
        leases = held(f"{key},{others}", shards)
        return [lease.lease_key for lease in leases_at_end(leases[0], (), listed, leases, "TRIM_HORIZON")]

    assert at_end("5", "0,1,2,3,4") == ["9", "10"]
    assert at_end("6", "7,4") == ["8"]
    assert at_end("6", "2,3,4") == []
    assert at_end("6", "4", [shard for shard in shards if shard.shard_id != "7"]) == ["8"]


def test_a_shard_that_has_a_child_is_closed_whatever_the_listing_says() -> None:
    """Otherwise both parents of a merge may end, each seeing the other one open, without a lease for it."""
    shards = lineage("0o[]0-499 1[]500-999")
    named = lineage("2o[0,1]0-999")
    leases = held("1,0", shards)
    for listed in (shards, [*shards, *named]):
        children = leases_at_end(leases[0], named, listed, leases, "LATEST")
        assert [(child.lease_key, child.checkpoint) for child in children] == [("2", "TRIM_HORIZON")]


def test_what_lies_between_a_lease_and_one_at_latest_is_wanted() -> None:
    """Whoever stood still over an empty table creates a lease at LATEST far below those of the others."""
    shards = lineage("2[]0-999 3[2]0-499 4[2]500-999 5o[3,4]0-999")
    leases = [*held("2", shards), *held("5", shards, "LATEST")]
    assert waited_for("5", shards, leases) == {"3", "4"}
    children = leases_at_end(leases[0], (), shards, leases, "LATEST")
    assert [(child.lease_key, child.checkpoint) for child in children] == [
        ("3", "TRIM_HORIZON"),
        ("4", "TRIM_HORIZON"),
    ]


def test_children_that_are_named_but_not_listed_yet_are_known() -> None:
    """Kinesis names them with the last records, and the listing may lag behind."""
    (only,) = lineage("0o[]0-999")
    named = lineage("1o[0]0-499 2o[0]500-999")
    (lease,) = held("0", [only])
    children = leases_at_end(lease, named, [only], [lease], "TRIM_HORIZON")
    assert [child.lease_key for child in children] == ["1", "2"]


SPLITS = "0[]0-999 1[0]0-499 2[0]500-999 3[2]500-749 4o[2]750-999 5o[1]0-499 6o[3]500-749"
MERGE = "0[]0-999 1[0]0-499 2[0]500-999 3o[1,2]0-999"
MERGE_THEN_SPLIT = "0[]0-499 1[]500-999 2[0,1]0-999 3o[2]0-499 4o[2]500-999"
APART = "0[]0-499 1[]500-999 2o[0]0-249 3o[0]250-499 4[1]500-749 5o[1]750-999 6o[4]500-749"
PAST_RETENTION = [
    (SPLITS, "0,2", "1,3,4"),
    (SPLITS, "0,1,2", "3,4,5"),
    (MERGE, "0,1,2", "3"),
    (MERGE_THEN_SPLIT, "0,1,2", "3,4"),
]


@pytest.mark.parametrize(("graph", "gone", "wanted"), PAST_RETENTION)
@pytest.mark.parametrize("checkpoint", ["LATEST", "SHARD_END", Position(1)])
def test_what_came_of_a_shard_past_retention_is_known_by_its_hash_keys(
    graph: str, gone: str, wanted: str, checkpoint: object
) -> None:
    """From LATEST too: the application had begun, though nothing listed leads back to what it began with."""
    shards = lineage(graph)
    listed = [shard for shard in shards if shard.shard_id not in gone.split(",")]
    new = leases_to_create(listed, held("0", shards, checkpoint), "LATEST", NOON)
    assert ",".join(lease.lease_key for lease in new) == wanted
    assert {lease.checkpoint for lease in new} == {"TRIM_HORIZON"}


@pytest.mark.parametrize(("graph", "gone", "wanted"), PAST_RETENTION)
def test_without_hash_keys_what_came_of_a_shard_past_retention_is_taken_for_new(
    graph: str, gone: str, wanted: str
) -> None:
    """What `docs/reliability.md` says of leases of old versions of KCL: only LATEST skips anything by it."""
    shards = lineage(graph)
    listed = [shard for shard in shards if shard.shard_id not in gone.split(",")]
    old = [msgspec.structs.replace(lease, hash_range=None) for lease in held("0", shards, "SHARD_END")]
    begun = leases_to_create(listed, old, "LATEST", NOON)
    assert "LATEST" in {lease.checkpoint for lease in begun}
    whole = leases_to_create(listed, old, "TRIM_HORIZON")
    assert {lease.checkpoint for lease in whole} == {"TRIM_HORIZON"}
    assert {lease.lease_key for lease in whole} >= set(wanted.split(","))


def test_what_came_of_nothing_that_had_begun_begins_at_latest() -> None:
    """A crash in the first synchronization of a stream whose older shards are past retention."""
    shards = lineage(APART)
    new = leases_to_create(shards[2:], held("2", shards, "LATEST"), "LATEST", NOON)
    assert [(lease.lease_key, lease.checkpoint) for lease in new] == [(key, "LATEST") for key in "356"]


def test_what_came_of_a_shard_past_retention_waits_for_it() -> None:
    """Its last records may be in the hands of its owner."""
    shards = lineage(SPLITS)
    listed = [shard for shard in shards if shard.shard_id in {"3", "4", "5", "6"}]
    for child in ("3", "4", "5"):
        assert waited_for(child, listed, held("0", shards, "LATEST")) == {"0"}
        assert waited_for(child, listed, held("0", shards)) == {"0"}
        assert waited_for(child, listed, held("0", shards, "SHARD_END")) == set()


def test_a_listing_that_lags_behind_a_child_shows_of_no_parent_that_it_is_gone() -> None:
    """Kinesis names the child at its other parent's end; what that listing lacks may not be listed yet."""
    whole = lineage("1[]0-499 2[]500-999 3[2]500-749 4o[2]750-999 5o[1,3]0-749")
    lagging = lineage("1[]0-499 2o[]500-999")
    leases = held("1,2", whole)
    named = whole[-1:]
    assert leases_at_end(leases[0], named, lagging, leases, "TRIM_HORIZON") == []
    assert leases_at_end(leases[0], named, whole, leases, "TRIM_HORIZON") == []
    retained = [shard for shard in whole if shard.shard_id not in {"2", "3"}]
    (child,) = leases_at_end(leases[0], named, retained, leases[:1], "TRIM_HORIZON")
    assert child.lease_key == "5"
    ended = [*held("1", whole, "SHARD_END"), *held("2", whole)]
    (waiting,) = held("5", whole, "TRIM_HORIZON")
    assert to_be_waited_for(waiting, lagging, ended) == {"3"}
    assert waited_for("5", whole, ended) == {"3"}
    assert waited_for("5", retained, ended[:1]) == set()
