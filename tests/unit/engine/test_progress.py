"""What is handled, as opposed to read: the age of the oldest record that waits is never below the truth."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from orderstream_consumer.processing.progress import UnhandledRecords, Waiting
from orderstream_consumer.processing.record import DeliveredRecord, Position

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


def record(number: int) -> DeliveredRecord:
    return DeliveredRecord(
        shard_id="shardId-000000000000",
        position=Position(number),
        partition_key="k",
        data=b"",
        approximate_arrival=START + dt.timedelta(seconds=number),
    )


def test_nothing_waits_before_the_first_record_and_after_the_last() -> None:
    """A shard without records is not behind, nor is one whose checkpoint covers all that was read."""
    unhandled = UnhandledRecords()
    assert unhandled.waiting is None
    unhandled.read([record(1), record(2)], START)
    assert unhandled.waiting == Waiting(START + dt.timedelta(seconds=1), START)
    unhandled.handled(Position(2), START + dt.timedelta(seconds=9))
    assert unhandled.waiting is None
    assert unhandled.moved_at == START + dt.timedelta(seconds=9)


def test_the_end_of_the_shard_covers_everything() -> None:
    """SHARD_END is a checkpoint behind every record."""
    unhandled = UnhandledRecords()
    unhandled.read([record(1)], START)
    unhandled.handled("SHARD_END", START)
    assert unhandled.waiting is None


def test_records_that_are_handed_over_again_are_no_news() -> None:
    """A batch that failed and is read again keeps the time at which it was read first."""
    unhandled = UnhandledRecords()
    unhandled.read([record(1)], START)
    unhandled.read([record(1)], START + dt.timedelta(hours=1))
    assert unhandled.waiting is not None
    assert unhandled.waiting.read_at == START


@given(
    batches=st.lists(st.integers(min_value=1, max_value=400), min_size=1, max_size=60),
    done=st.integers(min_value=0, max_value=25_000),
)
def test_the_age_is_never_below_the_truth_nor_far_above(batches: list[int], done: int) -> None:
    """However reads and checkpoints cut the records: the record named is at or before the true one.

    Up to a hundred thousand records without a checkpoint it is at most a hundred before it.
    """
    unhandled, number = UnhandledRecords(), 0
    for size in batches:
        unhandled.read([record(number + index + 1) for index in range(size)], START)
        number += size
    unhandled.handled(Position(done), START)
    waiting = unhandled.waiting
    if done >= number:
        assert waiting is None
    else:
        assert waiting is not None
        named = (waiting.arrived_at - START).total_seconds()
        assert done + 1 - 100 <= named <= done + 1


def test_a_processor_that_never_checkpoints_fills_no_memory() -> None:
    """Neighbours are joined, and the oldest record stays the oldest."""
    unhandled = UnhandledRecords()
    for number in range(1, 5_000):
        unhandled.read([record(number)], START)
    assert len(unhandled._stretches) <= 1_000
    assert unhandled.waiting == Waiting(START + dt.timedelta(seconds=1), START)
    unhandled.handled(Position(4_999), START)
    assert unhandled.waiting is None
