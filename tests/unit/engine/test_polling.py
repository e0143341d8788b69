"""Reading a shard: where iterators begin, how calls are paced, what a closed shard looks like."""

import datetime as dt
from random import Random

import pytest

from orderstream_workers.engine.config import EngineConfig
from orderstream_workers.engine.leases import Checkpoint
from orderstream_workers.engine.record import DeliveredRecord, Position
from orderstream_workers.engine.retrieval import (
    Issued,
    IssueIterator,
    OpenedRecords,
    PollingReader,
    Read,
    ReadRecords,
    Refusal,
)

NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
CONFIG = EngineConfig(idle_between_reads=1.5, initial_position="AT_TIMESTAMP", initial_timestamp=NOON)
LATER = NOON + dt.timedelta(seconds=5)


def reader(start: Checkpoint = "TRIM_HORIZON") -> PollingReader:
    return PollingReader("s", start, CONFIG, Random(1))


def read(sequence: int | None = None, behind: int = 0, following: str | None = "next") -> Read:
    records: tuple[DeliveredRecord, ...] = ()
    if sequence is not None:
        records = (DeliveredRecord("s", Position(sequence), "k", b"", NOON),)
    return Read(OpenedRecords(records, sequence), behind, following)


def test_the_first_read_issues_an_iterator() -> None:
    """First the iterator, then at once the records, then nothing until more is wanted."""
    polling = reader()
    assert polling.want(0.0) == IssueIterator("TRIM_HORIZON")
    assert polling.answered(Issued("it", NOON), 0.0) == (None, ReadRecords("it", None))
    batch, request = polling.answered(read(7), 0.1)
    assert batch is not None
    assert (len(batch.records), batch.closed, request) == (1, False, None)
    assert polling.proceed(99.0) is None


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("TRIM_HORIZON", IssueIterator("TRIM_HORIZON")),
        ("LATEST", IssueIterator("LATEST")),
        ("AT_TIMESTAMP", IssueIterator("AT_TIMESTAMP", timestamp=NOON)),
        (Position(5, 2), IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=5)),
    ],
)
def test_where_an_iterator_begins(start: Checkpoint, expected: IssueIterator) -> None:
    """A position begins at its own record, for part of that may be left to do."""
    assert reader(start).want(0.0) == expected


def test_what_is_done_is_left_out_of_the_first_records_only() -> None:
    """The filter goes with the first records after a checkpoint."""
    polling = reader(Position(5, 2))
    polling.want(0.0)
    assert polling.answered(Issued("it", NOON), 0.0)[1] == ReadRecords("it", Position(5, 2))
    polling.answered(read(), 0.0)
    assert polling.want(9.0) == ReadRecords("next", Position(5, 2))
    polling.answered(read(6), 9.0)
    assert polling.want(20.0) == ReadRecords("next", None)


@pytest.mark.parametrize(("behind", "pause"), [(0, 1.5), (1500, 1.5), (1501, 0.2)])
def test_pacing(behind: int, pause: float) -> None:
    """Caught up, reads are polite; far behind, they follow at once, five a second at most."""
    polling = reader()
    polling.want(10.0)
    polling.answered(Issued("it", NOON), 10.0)
    polling.answered(read(1, behind), 10.1)
    assert polling.want(10.1) is None
    assert polling.wake_at == pytest.approx(10.0 + pause)
    assert polling.proceed(10.0 + pause) == ReadRecords("next", None)


@pytest.mark.parametrize(
    ("start", "records", "expected"),
    [
        ("TRIM_HORIZON", None, IssueIterator("TRIM_HORIZON")),
        ("TRIM_HORIZON", 7, IssueIterator("AFTER_SEQUENCE_NUMBER", sequence_number=7)),
        (Position(5, 2), None, IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=5)),
        ("LATEST", None, IssueIterator("AT_TIMESTAMP", timestamp=LATER)),
        ("LATEST", 7, IssueIterator("AFTER_SEQUENCE_NUMBER", sequence_number=7)),
    ],
)
def test_an_expired_iterator_is_renewed_where_we_stand(
    start: Checkpoint, records: int | None, expected: IssueIterator
) -> None:
    """Nothing is skipped: even a reader of the latest records goes back to when it began."""
    polling = reader(start)
    polling.want(0.0)
    polling.answered(Issued("it", LATER), 0.0)
    polling.answered(read(records), 0.0)
    polling.want(10.0)
    assert polling.answered(Refusal.EXPIRED, 10.0) == (None, None)
    assert polling.proceed(polling.wake_at or 0.0) == expected


@pytest.mark.parametrize("refusal", [Refusal.THROTTLED, Refusal.UNREACHABLE])
def test_refusals_back_off_with_jitter(refusal: Refusal) -> None:
    """Pauses double up to a bound, never two alike, and a success forgets them."""
    polling, now = reader(), 0.0
    polling.want(now)
    polling.answered(Issued("it", NOON), now)
    pauses = []
    for _ in range(8):
        assert polling.answered(refusal, now) == (None, None)
        assert polling.wake_at is not None
        pauses.append(polling.wake_at - now)
        now = polling.wake_at
        assert polling.proceed(now) == ReadRecords("it", None)
    for attempt, pause in enumerate(pauses):
        longest = min(8.0, 0.5 * 2**attempt)
        assert longest / 2 <= pause <= longest
    polling.answered(read(), now)
    polling.want(now + 10)
    polling.answered(refusal, now + 10)
    assert (polling.wake_at or 0.0) <= now + 10.5


@pytest.mark.parametrize("following", [None, ""])
def test_no_next_iterator_means_closed(following: str | None) -> None:
    """Absent, null and empty alike; nothing is read afterwards."""
    polling = reader()
    polling.want(0.0)
    polling.answered(Issued("it", NOON), 0.0)
    batch, _ = polling.answered(read(1, following=following), 0.0)
    assert batch is not None
    assert batch.closed
    assert polling.want(9.0) is None


def test_a_shard_that_is_gone_is_closed() -> None:
    """Its records are past retention, so its children come next."""
    polling = reader()
    polling.want(0.0)
    batch, request = polling.answered(Refusal.GONE, 0.0)
    assert batch is not None
    assert (batch.closed, batch.records, request) == (True, (), None)
