import threading

import pytest

from orderstream import BufferFullError, ForkedProducerError, ProducerClosedError
from orderstream.producer.core.messages import Flush
from orderstream.producer.core.pending import Arrival
from orderstream.producer.threads.buffer import Buffer
from orderstream.producer.tracking.process import Process, current
from orderstream.producer.tracking.tracked import TrackedRecord, completing_thread

WAIT = 30.0


def record(size: int) -> TrackedRecord:
    return TrackedRecord("k", b"", None, size)


def put(buffer: Buffer, size: int) -> TrackedRecord:
    delivery = record(size)
    buffer.put(delivery)
    return delivery


def take(buffer: Buffer) -> list[TrackedRecord]:
    """Take as the owner does, and number as the core does."""
    records, _ = buffer.take(0.0)
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
    buffer = Buffer(10, "raise", current())
    first, second = put(buffer, 1), put(buffer, 1)
    buffer.post(Flush())
    assert buffer.take(None) == ([first, second], [Flush()])
    assert buffer.take(0.0) == ([], [])


def test_a_sleeping_owner_is_woken_by_a_record() -> None:
    """The owner sleeps without a timeout; a put wakes it."""
    buffer = Buffer(10, "raise", current())
    taken: list[list[TrackedRecord]] = []
    owner = threading.Thread(target=lambda: taken.append(buffer.take(None)[0]))
    owner.start()
    delivery = put(buffer, 1)
    owner.join(WAIT)
    assert taken == [[delivery]]


def test_a_full_buffer_raises_if_told_to() -> None:
    """The error tells what was asked for and what there is; with room it goes on."""
    buffer = Buffer(10, "raise", current())
    delivery = put(buffer, 8)
    with pytest.raises(BufferFullError) as caught:
        put(buffer, 3)
    assert (caught.value.size, caught.value.limit, caught.value.retryable) == (3, 10, True)
    buffer.completed([delivery], delivery.size)
    put(buffer, 10)


def test_a_full_buffer_blocks_until_there_is_room() -> None:
    """A blocked caller goes on as soon as enough is completed."""
    buffer = Buffer(10, "block", current())
    delivery = put(buffer, 10)
    thread = threading.Thread(target=put, args=(buffer, 5))
    thread.start()
    assert thread.is_alive()
    buffer.completed([delivery], delivery.size)
    thread.join(WAIT)
    assert not thread.is_alive()


def test_who_alone_could_make_room_never_blocks() -> None:
    """The owner's own callbacks get an error instead of a deadlock, and so does who asks for it."""
    buffer = Buffer(10, "block", current())
    put(buffer, 10)
    with pytest.raises(BufferFullError):
        buffer.put(record(1), may_block=False)
    with completing_thread(), pytest.raises(BufferFullError):
        put(buffer, 1)


def test_closing_wakes_the_blocked_with_an_error() -> None:
    """Nobody waits for room that will never be used."""
    buffer = Buffer(10, "block", current())
    put(buffer, 10)
    errors: list[Exception] = []

    def blocked() -> None:
        try:
            put(buffer, 1)
        except ProducerClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=blocked)
    thread.start()
    buffer.close()
    thread.join(WAIT)
    assert len(errors) == 1
    with pytest.raises(ProducerClosedError):
        put(buffer, 1)


def flushing(buffer: Buffer, left: list[int]) -> threading.Thread:
    """Begin to flush in another thread."""
    flush = threading.Thread(target=lambda: left.append(buffer.flush(WAIT)))
    with buffer._lock:
        flush.start()
    while not buffer._flushes:
        assert flush.is_alive()
    return flush


def test_a_flush_waits_for_what_was_put_before_it_only() -> None:
    """Records that come later do not hold it up, and do not count for it."""
    buffer = Buffer(100, "block", current())
    put(buffer, 1)
    left: list[int] = []
    flush = flushing(buffer, left)
    (first,) = take(buffer)
    put(buffer, 1)
    put(buffer, 1)
    later, latest = take(buffer)
    buffer.completed([later], later.size)
    assert buffer.flush(0.0) == 2
    assert flush.is_alive()
    buffer.completed([first], first.size)
    flush.join(WAIT)
    assert left == [0]
    assert buffer.flush(0.0) == 1
    buffer.completed([latest], latest.size)
    assert buffer.flush(None) == 0


def test_a_flush_also_waits_for_what_is_taken_together_with_its_own() -> None:
    """The core cannot tell these apart, so none of them is left out of the count."""
    buffer = Buffer(100, "block", current())
    put(buffer, 1)
    left: list[int] = []
    flush = flushing(buffer, left)
    put(buffer, 1)
    first, later = take(buffer)
    buffer.completed([first], first.size)
    assert buffer.flush(0.0) == 1
    assert flush.is_alive()
    buffer.completed([later], later.size)
    flush.join(WAIT)
    assert left == [0]


def test_the_core_is_told_of_a_flush_together_with_the_last_record_it_waits_for() -> None:
    """Nothing that a flush waits for lingers, because nothing comes between the two."""
    buffer = Buffer(100, "block", current())
    record = put(buffer, 1)
    assert buffer.flush(0.0) == 1
    assert buffer.take(None) == ([record], [Flush()])


def test_a_forked_copy_refuses_everything() -> None:
    """Even where the lock was held at the moment of the fork."""
    process = Process()
    process.here = [1]
    buffer = Buffer(10, "block", process)
    put(buffer, 1)
    process.here[0] = 0
    with buffer._lock:
        with pytest.raises(ForkedProducerError):
            put(buffer, 1)
        with pytest.raises(ForkedProducerError):
            buffer.put_all([TrackedRecord("k", b"", None, 1)], 1)
        with pytest.raises(ForkedProducerError):
            buffer.flush(None)


def test_many_go_in_at_a_stroke_while_there_is_room() -> None:
    """Records handed over together keep their order, and what they take is counted as if put one by one."""
    buffer = Buffer(10, "raise", current())
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(2)]
    buffer.put_all(many, 8)
    with pytest.raises(BufferFullError):
        put(buffer, 3)
    assert take(buffer) == many
    buffer.completed(many, 8)
    put(buffer, 10)


def test_of_many_the_first_go_in_when_there_is_no_room_for_all() -> None:
    """The one that finds no room is the one that is refused; those before it are handed over."""
    buffer = Buffer(10, "raise", current())
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(3)]
    with pytest.raises(BufferFullError):
        buffer.put_all(many, 12)
    assert take(buffer) == many[:2]


def test_many_wait_together_for_room() -> None:
    """They go in at one moment: nobody takes some of them and leaves the others for later."""
    buffer = Buffer(10, "block", current())
    put(buffer, 6)
    many = [TrackedRecord("k", b"x" * 3, None, 4) for _ in range(2)]
    thread = threading.Thread(target=buffer.put_all, args=(many, 8))
    thread.start()
    first = take(buffer)
    buffer.completed(first, 6)
    thread.join(30)
    assert take(buffer) == many
