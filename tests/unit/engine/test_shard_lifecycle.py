"""The life of a shard: the usual course, the ways out, and that no input is ever out of place."""

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from orderstream.kinesis.shard import HashRange, Shard
from orderstream_consumer.engines.config import EngineConfig
from orderstream_consumer.engines.embedded.lifecycle.shard_lifecycle import (
    Action,
    Command,
    Completed,
    Fetched,
    Input,
    Process,
    RegisterChildren,
    ShardLifecycle,
    Signal,
    State,
)
from orderstream_consumer.engines.embedded.retrieval import RetrievedBatch
from orderstream_consumer.processing.record import DeliveredRecord, Position, RetentionGap

CONFIG = EngineConfig(idle_call_interval=1, parent_poll_interval=2, retry_pause=3)
CHILD = Shard("child", HashRange(0, 9), frozenset({"s"}))
RECORD = DeliveredRecord("s", Position(1), "k", b"", dt.datetime(2026, 1, 1, tzinfo=dt.UTC))
FULL = RetrievedBatch((RECORD,), 0)
EMPTY = RetrievedBatch((), 5)
LAST = RetrievedBatch((RECORD,), 0, closed=True, children=(CHILD,))


def after(*events: Input) -> tuple[ShardLifecycle, list[Command]]:
    """A lifecycle after some inputs at time 0, and the commands of the last one."""
    lifecycle = ShardLifecycle("s", CONFIG)
    commands: list[Command] = []
    for event in events:
        commands = lifecycle.on(event, 0.0)
    return lifecycle, commands


WORKING = (Signal.WOKEN, Completed(), Completed())


def test_parents_then_initialize_then_records() -> None:
    """The shard waits for its parents, initializes, and reads ahead from then on."""
    assert after(Signal.WOKEN)[1] == [Action.CHECK_PARENTS]
    assert after(Signal.WOKEN, Completed())[1] == [Action.INITIALIZE]
    assert after(*WORKING)[1] == [Action.FETCH]
    assert after(*WORKING, Fetched(FULL))[1] == [Process(FULL), Action.FETCH]


def test_a_gap_is_told_though_no_record_comes_with_it() -> None:
    """What retention took must reach the processor, even where the rest of the read was discarded."""
    gap = RetrievedBatch((), 0, gap=RetentionGap(Position(1), Position(9)))
    assert after(*WORKING, Fetched(gap))[1] == [Process(gap), Action.FETCH]


def test_parents_are_asked_again_after_a_while() -> None:
    """An unended parent costs one look per interval."""
    lifecycle, commands = after(Signal.WOKEN, Completed(outcome=False))
    assert (commands, lifecycle.wake_at) == ([], 2)
    assert lifecycle.on(Signal.WOKEN, 1.9) == []
    assert lifecycle.on(Signal.WOKEN, 2.0) == [Action.CHECK_PARENTS]


def test_one_batch_waits_while_another_is_processed() -> None:
    """The next batch is fetched meanwhile, a third is not, and calls never overlap."""
    assert after(*WORKING, Fetched(FULL), Fetched(FULL))[1] == []
    assert after(*WORKING, Fetched(FULL), Fetched(FULL), Completed())[1] == [Process(FULL), Action.FETCH]


def test_a_gap_is_handed_over_although_no_record_comes_with_it() -> None:
    """Behind it there may be aggregates of other shards only: the archive has to hear of it all the same."""
    lost = RetrievedBatch((), 0, gap=RetentionGap(Position(1), Position(7)))
    assert after(*WORKING, Fetched(lost))[1] == [Process(lost), Action.FETCH]


def test_a_quiet_shard_is_called_by_time() -> None:
    """Empty reads call nobody; a second after the last call an empty batch does."""
    lifecycle, commands = after(*WORKING, Fetched(EMPTY))
    assert (commands, lifecycle.wake_at) == ([Action.FETCH], 1)
    assert lifecycle.on(Signal.WOKEN, 1.0) == [Process(EMPTY)]


def test_a_failed_call_is_made_again_with_the_same_batch() -> None:
    """After a pause, and nothing else in between."""
    lifecycle, commands = after(*WORKING, Fetched(FULL), Signal.FAILED)
    assert (commands, lifecycle.wake_at) == ([], 3)
    lifecycle.on(Fetched(RetrievedBatch((RECORD, RECORD), 0)), 1.0)
    assert lifecycle.on(Signal.WOKEN, 3.0) == [Process(FULL)]


def test_a_closed_shard_ends_after_its_last_record() -> None:
    """Children are registered when the last batch is done, then the processor ends the shard."""
    ending = (*WORKING, Fetched(LAST), Completed())
    assert after(*ending)[1] == [RegisterChildren((CHILD,))]
    assert after(*ending, Completed())[1] == [Action.END_SHARD]
    assert after(*ending, Completed(), Completed())[0].state is State.DONE


def test_an_end_that_was_not_checkpointed_is_asked_for_again() -> None:
    """Without SHARD_END the shard has not ended."""
    lifecycle, commands = after(*WORKING, Fetched(LAST), Completed(), Completed(), Completed(outcome=False))
    assert (commands, lifecycle.wake_at) == ([], 3)
    assert lifecycle.on(Signal.WOKEN, 3.0) == [Action.END_SHARD]


def test_a_stop_waits_for_the_call_then_requests_shutdown_then_releases() -> None:
    """The call under way returns first; the batch that waits is left to the next owner."""
    stopped = (*WORKING, Fetched(FULL), Fetched(FULL), Signal.STOP_REQUESTED)
    assert after(*stopped)[1] == []
    assert after(*stopped, Completed())[1] == [Action.REQUEST_SHUTDOWN]
    assert after(*stopped, Completed(), Completed())[1] == [Action.RELEASE]
    assert after(*stopped, Completed(), Completed(), Completed())[0].state is State.DONE


def test_a_stop_before_the_first_call_only_releases() -> None:
    """A processor that was never called is not told to shut down."""
    assert after(Signal.STOP_REQUESTED)[1] == [Action.RELEASE]
    assert after(Signal.WOKEN, Signal.STOP_REQUESTED, Completed())[1] == [Action.RELEASE]


def test_a_failure_while_leaving_keeps_nobody() -> None:
    """A processor that raises when told to shut down still loses its lease."""
    leaving = (*WORKING, Signal.STOP_REQUESTED)
    assert after(*leaving, Signal.FAILED)[1] == [Action.RELEASE]
    assert after(*leaving, Signal.FAILED, Signal.FAILED)[0].state is State.DONE


def test_a_lost_lease_ends_everything_at_once() -> None:
    """After the call under way only lease_lost is called; nothing is released."""
    assert after(*WORKING, Fetched(FULL), Signal.LEASE_LOST)[1] == []
    assert after(*WORKING, Fetched(FULL), Signal.LEASE_LOST, Completed())[1] == [Action.NOTIFY_LOSS]
    assert after(Signal.LEASE_LOST)[0].state is State.DONE
    gone, commands = after(*WORKING, Signal.STOP_REQUESTED, Signal.LEASE_LOST, Completed())
    assert (gone.state, commands) == (State.DONE, [])


INPUTS: list[Input] = [
    *Signal,
    Completed(),
    Completed(outcome=False),
    Fetched(FULL),
    Fetched(EMPTY),
    Fetched(LAST),
]


@given(st.lists(st.tuples(st.sampled_from(INPUTS), st.floats(0, 5)), max_size=60))
def test_no_input_is_out_of_place(steps: list[tuple[Input, float]]) -> None:
    """Whatever comes whenever: no error, DONE is final, and after a lost lease no work is handed out."""
    lifecycle, now, lost = ShardLifecycle("s", CONFIG), 0.0, False
    for event, pause in steps:
        now += pause
        was_done = lifecycle.state is State.DONE
        lost = lost or event is Signal.LEASE_LOST
        commands = lifecycle.on(event, now)
        assert not (was_done and (commands or lifecycle.state is not State.DONE))
        if lost:
            assert set(commands) <= {Action.NOTIFY_LOSS}


@given(st.lists(st.tuples(st.sampled_from(range(8)), st.floats(0, 5)), max_size=80))
def test_calls_never_overlap(steps: list[tuple[int, float]]) -> None:
    """However responses come, at most one command and one fetch are under way, and every shard can leave."""
    lifecycle, now = ShardLifecycle("s", CONFIG), 0.0
    busy: list[Command] = []

    def feed(event: Input) -> None:
        for command in lifecycle.on(event, now):
            assert (command is Action.FETCH) not in {other is Action.FETCH for other in busy}
            busy.append(command)

    for choice, pause in steps:
        now += pause
        if choice < 2 and (calls := [command for command in busy if command is not Action.FETCH]):
            busy.remove(calls[0])
            feed(Signal.FAILED if choice else Completed())
        elif choice < 5 and Action.FETCH in busy:
            busy.remove(Action.FETCH)
            feed(Fetched((FULL, EMPTY, LAST)[choice - 2]))
        else:
            feed(Signal.WOKEN)
    feed(Signal.STOP_REQUESTED)
    for _ in range(8):
        if calls := [command for command in busy if command is not Action.FETCH]:
            busy.remove(calls[0])
            feed(Completed())
    assert lifecycle.state is State.DONE
