"""Each thing that could be wrong with a pipeline at rest is found in one that has exactly that."""

from chaos.invariants import _archive, _unread
from chaos.streams import Stream

SHARD = "shardId-000000000000"
RECORDS = Stream({SHARD: [(10, 0), (10, 1), (20, 0)], "shardId-000000000001": []}, frozenset())
ENDED = Stream(RECORDS.records, frozenset({SHARD}))
WHOLE = [("10-0", "10-1", ""), ("20-0", "20-0", "10-1")]
AT_THE_END = {SHARD: (20, 0)}


def test_a_pipeline_at_rest_has_no_violation() -> None:
    """The chain of the objects goes to the stream's end, and so do the checkpoints."""
    assert list(_archive({SHARD: WHOLE}, RECORDS, AT_THE_END)) == []
    assert list(_unread({"saga": AT_THE_END}, RECORDS)) == []
    assert list(_unread({"saga": {SHARD: "SHARD_END"}}, ENDED)) == []


def test_a_missing_object_shows_as_a_gap() -> None:
    """The one behind it names an end that is not there."""
    (gap,) = _archive({SHARD: WHOLE[1:]}, RECORDS, AT_THE_END)
    assert gap == f"archive: {SHARD} from 20-0 follows 10-1, not nothing"


def test_a_missing_last_object_shows() -> None:
    """The archive ends before the stream, and the checkpoint is ahead of what was uploaded."""
    short, ahead = _archive({SHARD: WHOLE[:1]}, RECORDS, AT_THE_END)
    assert short == f"archive: {SHARD} ends at 10-1, the stream at (20, 0)"
    assert ahead == f"archive: {SHARD} is checkpointed at (20, 0) and archived up to 10-1"


def test_an_object_that_is_there_twice_shows() -> None:
    """Two objects that follow the same one hold the same records."""
    overlap = [*WHOLE, ("20-0", "20-0", "10-1")]
    assert len(list(_archive({SHARD: overlap}, RECORDS, AT_THE_END))) == 1


def test_an_application_that_stands_elsewhere_than_at_the_end_shows() -> None:
    """Behind the last record, inside its aggregate, ahead of it, at no record, or without a lease."""
    for checkpoint in ((10, 1), (20, 1), (30, 0), "TRIM_HORIZON", "SHARD_END"):
        assert len(list(_unread({"saga": {SHARD: checkpoint}}, RECORDS))) == 1
    assert list(_unread({"saga": {}}, RECORDS)) == [f"leases: saga has none of {SHARD}"]


def test_only_the_lease_of_an_ended_shard_may_be_gone() -> None:
    """KCL deletes it; that of an open one is missed all the same."""
    assert list(_unread({"saga": {}}, ENDED, leases_are_deleted=True)) == []
    assert len(list(_unread({"saga": {}}, ENDED))) == 1
    assert len(list(_unread({"saga": {}}, RECORDS, leases_are_deleted=True))) == 1
