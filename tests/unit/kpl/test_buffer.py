import threading

import pytest

from orderstream.kpl import BufferFullError, ProducerClosedError
from orderstream.kpl.buffer import Buffer


def test_a_full_buffer_raises_if_told_to() -> None:
    """The error tells what was asked for and what there is; with room it goes on."""
    buffer = Buffer(10, "raise")
    epoch = buffer.acquire(8)
    with pytest.raises(BufferFullError) as caught:
        buffer.acquire(3)
    assert (caught.value.size, caught.value.limit, caught.value.retryable) == (3, 10, True)
    buffer.release([(epoch, 8)])
    buffer.acquire(10)


def test_a_full_buffer_blocks_until_there_is_room() -> None:
    """A blocked caller goes on as soon as enough is settled."""
    buffer = Buffer(10, "block")
    epoch = buffer.acquire(10)
    thread = threading.Thread(target=buffer.acquire, args=(5,))
    thread.start()
    assert thread.is_alive()
    buffer.release([(epoch, 10)])
    thread.join(30)
    assert not thread.is_alive()


def test_who_alone_could_make_room_never_blocks() -> None:
    """The owner's own callbacks get an error instead of a deadlock."""
    buffer = Buffer(10, "block")
    buffer.acquire(10)
    with pytest.raises(BufferFullError):
        buffer.acquire(1, may_block=False)


def test_closing_wakes_the_blocked_with_an_error() -> None:
    """Nobody waits for room that will never be used."""
    buffer = Buffer(10, "block")
    buffer.acquire(10)
    errors: list[Exception] = []

    def blocked() -> None:
        try:
            buffer.acquire(1)
        except ProducerClosedError as error:
            errors.append(error)

    thread = threading.Thread(target=blocked)
    thread.start()
    buffer.close()
    thread.join(30)
    assert len(errors) == 1
    with pytest.raises(ProducerClosedError):
        buffer.acquire(1)


def test_a_flush_waits_for_what_was_put_before_it_only() -> None:
    """Records of later epochs do not hold up an earlier flush."""
    buffer = Buffer(100, "block")
    first = buffer.acquire(1)
    ended = buffer.end_epoch()
    assert ended == first
    later = buffer.acquire(1)
    assert later == first + 1
    assert buffer.wait_settled(ended, 0.0) == 1
    buffer.release([(first, 1)])
    assert buffer.wait_settled(ended, None) == 0
    assert not buffer.empty
    buffer.release([(later, 1)])
    assert buffer.empty
