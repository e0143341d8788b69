"""Reading a shard: where iterators begin, how calls are paced, what a closed shard looks like."""

import datetime as dt
from dataclasses import replace
from random import Random

import pytest

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.retrieval import (
    DeaggregatedRecords,
    Issued,
    IssueIterator,
    LookedUp,
    LookUpShard,
    Pin,
    Pinned,
    PollingReader,
    Read,
    ReadRecords,
    Refusal,
    RetrievalRequest,
)
from orderstream_consumer.processing.record import Checkpoint, DeliveredRecord, Position, RetentionGap

SHARD = Shard("s", HashRange(0, 99), starting_sequence_number=100)
CLOSED = replace(SHARD, is_open=False, ending_sequence_number=900)
NOON = dt.datetime(2026, 1, 1, 12, tzinfo=dt.UTC)
CONFIG = EngineConfig(idle_between_reads=1.5, initial_position="AT_TIMESTAMP", initial_timestamp=NOON)
LATER = NOON + dt.timedelta(seconds=5)


def reader(start: Checkpoint = "TRIM_HORIZON", done_until: dt.datetime | None = None) -> PollingReader:
    return PollingReader("s", start, CONFIG, Random(1), done_until)


def read(
    sequence: int | None = None,
    behind: int = 0,
    following: str | None = "next",
    children: tuple[Shard, ...] = (),
) -> Read:
    records: tuple[DeliveredRecord, ...] = ()
    if sequence is not None:
        records = (DeliveredRecord("s", Position(sequence), "k", b"", NOON),)
    return Read(
        DeaggregatedRecords(records, sequence, first_sequence_number=sequence), behind, following, children
    )


def first_read(
    polling: PollingReader, *responses: Read | LookedUp | Refusal | Issued
) -> list[RetrievalRequest | None]:
    """The calls that follow on the responses to the first ones, whatever the pauses between them."""
    now, calls = 0.0, [polling.want(0.0)]
    for response in responses:
        batch, call = polling.responded(response, now)
        call = call if batch is None else polling.want(now)
        if call is None and polling.wake_at is not None:
            now = polling.wake_at
            call = polling.proceed(now)
        calls.append(call)
    return calls


def test_the_first_read_issues_an_iterator() -> None:
    """First the iterator, then at once the records, then nothing until more is wanted."""
    polling = reader()
    assert polling.want(0.0) == IssueIterator("TRIM_HORIZON")
    assert polling.responded(Issued("it", NOON), 0.0) == (None, ReadRecords("it", None))
    batch, request = polling.responded(read(7), 0.1)
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
    assert polling.responded(Issued("it", NOON), 0.0)[1] == ReadRecords("it", Position(5, 2))
    polling.responded(read(), 0.0)
    assert polling.want(9.0) == ReadRecords("next", Position(5, 2))
    polling.responded(read(6), 9.0)
    assert polling.want(20.0) == ReadRecords("next", None)


@pytest.mark.parametrize(("behind", "pause"), [(0, 1.5), (1500, 1.5), (1501, 0.2)])
def test_pacing(behind: int, pause: float) -> None:
    """Caught up, reads are polite; far behind, they follow at once, five a second at most."""
    polling = reader()
    polling.want(10.0)
    polling.responded(Issued("it", NOON), 10.0)
    polling.responded(read(1, behind), 10.1)
    assert polling.want(10.1) is None
    assert polling.wake_at == pytest.approx(10.0 + pause)
    assert polling.proceed(10.0 + pause) == ReadRecords("next", None)


@pytest.mark.parametrize(
    ("start", "records", "expected"),
    [
        ("TRIM_HORIZON", None, IssueIterator("TRIM_HORIZON")),
        ("TRIM_HORIZON", 7, IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=7)),
        (Position(5, 2), None, IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=5)),
        ("LATEST", None, IssueIterator("AT_TIMESTAMP", timestamp=LATER)),
        ("LATEST", 7, IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=7)),
    ],
)
def test_an_expired_iterator_is_renewed_where_we_stand(
    start: Checkpoint, records: int | None, expected: IssueIterator
) -> None:
    """Nothing is skipped: even a reader of the latest records goes back to when it began.

    The last record that was read is read again, for it shows whether retention has passed it.
    """
    polling = reader(start)
    polling.want(0.0)
    if isinstance(polling.responded(Issued("it", LATER), 0.0)[1], Pin):
        polling.responded(Pinned(), 0.0)
    polling.responded(read(records), 0.0)
    polling.want(10.0)
    assert polling.responded(Refusal.EXPIRED, 10.0) == (None, None)
    assert polling.proceed(polling.wake_at or 0.0) == expected


@pytest.mark.parametrize("refusal", [Refusal.THROTTLED, Refusal.UNREACHABLE])
def test_refusals_back_off_with_jitter(refusal: Refusal) -> None:
    """Pauses double up to a bound, never two alike, and a success forgets them."""
    polling, now = reader(), 0.0
    polling.want(now)
    polling.responded(Issued("it", NOON), now)
    pauses = []
    for _ in range(8):
        assert polling.responded(refusal, now) == (None, None)
        assert polling.wake_at is not None
        pauses.append(polling.wake_at - now)
        now = polling.wake_at
        assert polling.proceed(now) == ReadRecords("it", None)
    for attempt, pause in enumerate(pauses):
        longest = min(8.0, 0.5 * 2**attempt)
        assert longest / 2 <= pause <= longest
    polling.responded(read(), now)
    polling.want(now + 10)
    polling.responded(refusal, now + 10)
    assert (polling.wake_at or 0.0) <= now + 10.5


@pytest.mark.parametrize("following", [None, ""])
def test_children_without_a_next_iterator_mean_closed(following: str | None) -> None:
    """Absent, null and empty alike; nothing is read afterwards."""
    polling = reader()
    polling.want(0.0)
    polling.responded(Issued("it", NOON), 0.0)
    batch, _ = polling.responded(read(1, following=following, children=(SHARD,)), 0.0)
    assert batch is not None
    assert batch.closed
    assert batch.children == (SHARD,)
    assert polling.want(9.0) is None


def test_an_open_shard_without_a_next_iterator_is_read_on() -> None:
    """Missing children and the listing show that Kinesis erred; no record is skipped."""
    polling = reader()
    calls = first_read(polling, Issued("it", NOON), read(7, following=None), LookedUp(SHARD))
    assert calls[2:] == [LookUpShard(), IssueIterator("AFTER_SEQUENCE_NUMBER", sequence_number=7)]
    assert polling.spurious_ends == 1


def test_a_closed_shard_whose_children_are_not_named_ends_once_nothing_is_left() -> None:
    """Only a read that was sent after the listing, and found nothing more, is the last.

    Between the two the shard may have taken records, and an error of Kinesis' may strike in the middle.
    """
    polling = reader()
    end = read(following=None)
    again = IssueIterator("TRIM_HORIZON")
    calls = first_read(polling, Issued("1", NOON), end, LookedUp(CLOSED), Issued("2", NOON))
    assert calls[2:] == [LookUpShard(), again, ReadRecords("2", None)]
    batch, _ = polling.responded(read(8, following=None), 50.0)
    assert batch is not None
    assert not batch.closed
    assert first_read(polling, LookedUp(CLOSED))[1] == IssueIterator("AFTER_SEQUENCE_NUMBER", 8)
    polling.responded(Issued("3", NOON), 100.0)
    polling.proceed(200.0)
    batch, _ = polling.responded(end, 200.0)
    assert batch is not None
    assert batch.closed


def test_a_shard_that_is_gone_is_closed() -> None:
    """Once it is not listed either: its records are past retention, so its children come next."""
    polling = reader()
    assert first_read(polling, Refusal.GONE)[1] == LookUpShard()
    batch, request = polling.responded(LookedUp(None), 0.0)
    assert batch is not None
    assert (batch.closed, batch.records, request) == (True, (), None)


def test_a_shard_that_is_listed_is_not_gone() -> None:
    """One call's word does not end a shard."""
    calls = first_read(reader(), Refusal.GONE, LookedUp(SHARD))
    assert calls[1:] == [LookUpShard(), IssueIterator("TRIM_HORIZON")]


def test_a_stream_that_is_gone_is_waited_for() -> None:
    """The reader says so, and goes on should the stream come back."""
    polling = reader()
    assert first_read(polling, Refusal.GONE, Refusal.STREAM_GONE)[1:] == [LookUpShard(), LookUpShard()]
    assert polling.stream_gone
    assert first_read(polling, LookedUp(SHARD))[1] == IssueIterator("TRIM_HORIZON")
    assert not polling.stream_gone


@pytest.mark.parametrize(
    ("number", "listed", "follows"),
    [
        (500, SHARD, IssueIterator("TRIM_HORIZON")),
        (99, SHARD, None),
        (500, CLOSED, IssueIterator("TRIM_HORIZON")),
        (901, CLOSED, "closed"),
        (900, CLOSED, "closed"),
        (500, None, "closed"),
    ],
)
def test_a_refused_checkpoint_is_judged_by_the_listing(
    number: int, listed: Shard | None, follows: IssueIterator | str | None
) -> None:
    """Trimmed: on from the horizon. Past the shard's end: closed. Before its beginning: it stands still."""
    polling = reader(Position(number, 1))
    polling.want(0.0)
    assert polling.responded(Refusal.INVALID_POSITION, 0.0)[1] == LookUpShard()
    batch, request = polling.responded(LookedUp(listed), 0.0)
    if follows == "closed":
        assert batch is not None
        assert batch.closed
    else:
        assert (batch, request) == (None, follows)
    assert (polling.standstill is not None) == (follows is None)


def test_what_retention_took_is_told() -> None:
    """A checkpoint whose own record is gone leaves a gap, which travels with the records that follow it."""
    polling = reader(Position(500, 1))
    assert first_read(polling, Issued("it", NOON)) == [
        IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=500),
        ReadRecords("it", Position(500, 1)),
    ]
    batch, _ = polling.responded(read(507), 0.0)
    assert batch is not None
    assert batch.gap == RetentionGap(Position(500, 1), Position(507))
    assert polling.retention_gaps == 1
    polling.want(9.0)
    batch, _ = polling.responded(read(508), 9.0)
    assert batch is not None
    assert batch.gap is None


@pytest.mark.parametrize("refusals", [(Refusal.EXPIRED,), (Refusal.GONE, LookedUp(SHARD))])
@pytest.mark.parametrize(("first", "gaps"), [(500, 0), (507, 1)])
def test_a_live_reader_tells_what_retention_took(
    refusals: tuple[Refusal | LookedUp, ...], first: int, gaps: int
) -> None:
    """One that stood still for longer than retention finds its last record gone, as a new owner would."""
    polling = reader()
    first_read(polling, Issued("it", NOON), read(500), *refusals, Issued("new", NOON))
    batch, _ = polling.responded(read(first), 100_000.0)
    assert batch is not None
    assert (batch.gap is not None, polling.retention_gaps) == (bool(gaps), gaps)
    if batch.gap is not None:
        assert batch.gap == RetentionGap(Position(500), Position(507))


def test_a_live_reader_leaves_out_what_it_has_read() -> None:
    """Its last record, read again, is in the processor's hands already."""
    polling = reader()
    calls = first_read(polling, Issued("it", NOON), read(500), Refusal.EXPIRED, Issued("new", NOON))
    assert calls[-1] == ReadRecords("new", Position(500))
    discarded = Read(DeaggregatedRecords((), 600, first_sequence_number=600), 0, "next")
    polling.responded(discarded, 100.0)
    polling.want(200.0)
    polling.responded(Refusal.EXPIRED, 200.0)
    assert polling.proceed(300.0) == IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=600)


def test_a_live_reader_that_was_caught_up_misses_nothing() -> None:
    """The last record of a quiet shard is gone, and nothing came after it until a moment ago."""
    polling = reader()
    first_read(polling, Issued("it", NOON), read(500), replace(read(), at=NOON), Refusal.EXPIRED)
    first_read(polling, Issued("new", NOON))
    polling.responded(replace(read(507), at=NOON + dt.timedelta(hours=1)), 1_000.0)
    assert polling.retention_gaps == 0


def test_a_reader_that_went_on_at_the_horizon_goes_on_from_there() -> None:
    """An iterator that expires later does not lead back to the horizon."""
    polling = reader(Position(500))
    calls = first_read(
        polling, Refusal.INVALID_POSITION, LookedUp(CLOSED), Issued("it", NOON), read(700), Refusal.EXPIRED
    )
    assert calls[2] == IssueIterator("TRIM_HORIZON")
    assert calls[-1] == IssueIterator("AT_SEQUENCE_NUMBER", sequence_number=700)


@pytest.mark.parametrize(("hours", "gaps"), [(23, 0), (25, 1)])
def test_an_empty_shard_does_not_hide_what_retention_took(hours: int, gaps: int) -> None:
    """Being at the tip proves nothing while the checkpoint's own record, and maybe more, is gone untold."""
    polling, later = reader(Position(500), NOON), NOON + dt.timedelta(hours=hours)
    first_read(polling, Issued("it", NOON), replace(read(), at=later))
    assert (polling.caught_up_at is None) == bool(gaps)
    polling.responded(replace(read(507), at=later + dt.timedelta(hours=1)), 100.0)
    assert polling.retention_gaps == gaps


def test_a_checkpoint_whose_record_is_there_leaves_no_gap() -> None:
    """Reading it again is what shows that nothing is lost."""
    polling = reader(Position(500, 1))
    first_read(polling, Issued("it", NOON))
    batch, _ = polling.responded(read(500), 0.0)
    assert batch is not None
    assert batch.gap is None
    assert polling.retention_gaps == 0


def test_a_checkpoint_beyond_what_the_shard_holds_is_another_streams() -> None:
    """Its records would be left out as done, so the shard stands still, and is looked at again later."""
    polling = reader(Position(500))
    first_read(polling, Refusal.INVALID_POSITION, LookedUp(SHARD), Issued("it", NOON))
    batch, request = polling.responded(read(400), 10.0)
    assert (batch, request) == (None, None)
    assert polling.standstill is not None
    assert (polling.wake_at or 0.0) >= 60.0


def test_latest_is_pinned_before_anything_is_read() -> None:
    """Whoever begins the shard after a crash begins there, and not at a tip that has moved on."""
    polling = reader("LATEST")
    calls = first_read(polling, Issued("it", LATER), Refusal.UNREACHABLE, Pinned())
    assert calls == [IssueIterator("LATEST"), Pin(LATER), Pin(LATER), ReadRecords("it", None)]
    assert reader("LATEST", LATER).want(0.0) == IssueIterator("AT_TIMESTAMP", timestamp=LATER)


def test_a_quiet_shard_loses_nothing_to_retention() -> None:
    """Its last record is gone, but what came before the lease's moment was done, and that is not long ago."""
    for hours, gaps in ((23, 0), (25, 1)):
        polling = reader(Position(500, 1), NOON)
        first_read(polling, Issued("it", NOON))
        polling.responded(replace(read(507), at=NOON + dt.timedelta(hours=hours)), 0.0)
        assert polling.retention_gaps == gaps


def test_being_caught_up_is_known_with_a_margin() -> None:
    """A record is readable a moment after it arrived: an empty read proves nothing for the last minute."""
    polling = reader()
    first_read(polling, Issued("it", NOON))
    polling.responded(replace(read(7), at=NOON), 0.0)
    assert polling.caught_up_at is None
    polling.want(9.0)
    polling.responded(replace(read(), at=NOON), 9.0)
    assert polling.caught_up_at == NOON - dt.timedelta(minutes=1)
