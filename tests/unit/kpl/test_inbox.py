import threading

import pytest

from orderstream.producer import BufferFullError, ForkedProducerError, ProducerClosedError
from orderstream.producer.core.messages import Flush
from orderstream.producer.core.pending import Arrival
from orderstream.producer.threads.buffer import Inbox
from orderstream.producer.tracking.process import Process, current
from orderstream.producer.tracking.tracked import TrackedRecord, settling_thread

WAIT = 30.0


def record(size: int) -> TrackedRecord:
    return TrackedRecord("k", b"", None, size)


def put(inbox: Inbox, size: int) -> TrackedRecord:
    delivery = record(size)
    inbox.put(delivery)
    return delivery


def take(inbox: Inbox) -> list[TrackedRecord]:
    """Take as the owner does, and number as the core does."""
    records, _ = inbox.take(0.0)
    if records:
        arrival = Arrival(next(numbers), 0.0)
        for delivery in records:
            delivery.arrival = arrival
    return records


numbers = iter(range(1, 1000))


@pytest.fixture(autouse=True)
def _number_from_one() -> None:
    global numbers  # noqa: PLW0603
    numbers = iter(range(1, 1000))


def test_records_come_in_put_order_and_inputs_behind_them() -> None:
    """What one thread does in order is taken in that order."""
    inbox = Inbox(10, "raise", current())
    first, second = put(inbox, 1), put(inbox, 1)
    inbox.tell(Flush())
    assert inbox.take(None) == ([first, second], [Flush()])
    assert inbox.take(0.0) == ([], [])


def test_a_sleeping_owner_is_woken_by_a_record() -> None:
    """The owner sleeps without a timeout; a put wakes it."""
    inbox = Inbox(10, "raise", current())
    taken: list[list[TrackedRecord]] = []
    owner = threading.Thread(target=lambda: taken.append(inbox.take(None)[0]))
    owner.start()
    delivery = put(inbox, 1)
    owner.join(WAIT)
    assert taken == [[delivery]]


def test_a_full_buffer_raises_if_told_to() -> None:
    """The error tells what was asked for and what there is; with room it goes on."""
    inbox = Inbox(10, "raise", current())
    delivery = put(inbox, 8)
    with pytest.raises(BufferFullError) as caught:
        put(inbox, 3)
    assert (caught.value.size, caught.value.limit, caught.value.retryable) == (3, 10, True)
    inbox.settled([delivery], delivery.size)
    put(inbox, 10)


def test_a_full_buffer_blocks_until_there_is_room() -> None:
    """A blocked caller goes on as soon as enough is settled."""
    inbox = Inbox(10, "block", current())
    delivery = put(inbox, 10)
    thread = threading.Thread(target=put, args=(inbox, 5))
    thread.start()
    assert thread.is_alive()
    inbox.settled([delivery], delivery.size)
    thread.join(WAIT)
    assert not thread.is_alive()


def test_who_alone_could_make_room_never_blocks() -> None:
    """The owner's own callbacks get an error instead of a deadlock, and so does who asks for it."""
    inbox = Inbox(10, "block", current())
    put(inbox, 10)
    with pytest.raises(BufferFullError):
        inbox.put(record(1), may_block=False)
    with settling_thread(), pytest.raises(BufferFullError):
        put(inbox, 1)


def test_closing_wakes_the_blocked_with_an_error() -> None:
    """Nobody waits for room that will never be used."""
    inbox = Inbox(10, "block", current())
    put(inbox, 10)
    errors: list[Exception] = []

    def blocked() -> None:
        try:
            put(inbox, 1)
        except ProducerClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=blocked)
    thread.start()
    inbox.close()
    thread.join(WAIT)
    assert len(errors) == 1
    with pytest.raises(ProducerClosedError):
        put(inbox, 1)


def flushing(inbox: Inbox, left: list[int]) -> threading.Thread:
    """Begin to flush in another thread."""
    flush = threading.Thread(target=lambda: left.append(inbox.flush(WAIT)))
    with inbox._lock:
        flush.start()
    while not inbox._flushes:
        assert flush.is_alive()
    return flush


def test_a_flush_waits_for_what_was_put_before_it_only() -> None:
    """Records that come later do not hold it up, and do not count for it."""
    inbox = Inbox(100, "block", current())
    put(inbox, 1)
    left: list[int] = []
    flush = flushing(inbox, left)
    (first,) = take(inbox)
    put(inbox, 1)
    put(inbox, 1)
    later, latest = take(inbox)
    inbox.settled([later], later.size)
    assert inbox.flush(0.0) == 2
    assert flush.is_alive()
    inbox.settled([first], first.size)
    flush.join(WAIT)
    assert left == [0]
    assert inbox.flush(0.0) == 1
    inbox.settled([latest], latest.size)
    assert inbox.flush(None) == 0


def test_a_flush_also_waits_for_what_is_taken_together_with_its_own() -> None:
    """The core cannot tell these apart, so none of them is left out of the count."""
    inbox = Inbox(100, "block", current())
    put(inbox, 1)
    left: list[int] = []
    flush = flushing(inbox, left)
    put(inbox, 1)
    first, later = take(inbox)
    inbox.settled([first], first.size)
    assert inbox.flush(0.0) == 1
    assert flush.is_alive()
    inbox.settled([later], later.size)
    flush.join(WAIT)
    assert left == [0]


def test_the_core_is_told_of_a_flush_together_with_the_last_record_it_waits_for() -> None:
    """Nothing that a flush waits for lingers, because nothing comes between the two."""
    inbox = Inbox(100, "block", current())
    record = put(inbox, 1)
    assert inbox.flush(0.0) == 1
    assert inbox.take(None) == ([record], [Flush()])


def test_a_forked_copy_refuses_everything() -> None:
    """Even where the lock was held at the moment of the fork."""
    process = Process()
    process.here = [1]
    inbox = Inbox(10, "block", process)
    put(inbox, 1)
    process.here[0] = 0
    with inbox._lock:
        with pytest.raises(ForkedProducerError):
            put(inbox, 1)
        with pytest.raises(ForkedProducerError):
            inbox.put_all([TrackedRecord("k", b"", None, 1)], 1)
        with pytest.raises(ForkedProducerError):
            inbox.flush(None)


def test_many_go_in_at_a_stroke_while_there_is_room() -> None:
    """Records handed over together keep their order, and what they take is counted as if put one by one."""
    inbox = Inbox(10, "raise", current())
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(2)]
    inbox.put_all(many, 8)
    with pytest.raises(BufferFullError):
        put(inbox, 3)
    assert take(inbox) == many
    inbox.settled(many, 8)
    put(inbox, 10)


def test_of_many_the_first_go_in_when_there_is_no_room_for_all() -> None:
    """The one that finds no room is the one that is refused; those before it are handed over."""
    inbox = Inbox(10, "raise", current())
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(3)]
    with pytest.raises(BufferFullError):
        inbox.put_all(many, 12)
    assert take(inbox) == many[:2]


def test_many_wait_together_for_room() -> None:
    """They go in at one moment: nobody takes some of them and leaves the others for later."""
    inbox = Inbox(10, "block", current())
    put(inbox, 6)
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(2)]
    thread = threading.Thread(target=inbox.put_all, args=(many, 8))
    thread.start()
    first = take(inbox)
    inbox.settled(first, 6)
    thread.join(30)
    assert take(inbox) == many
