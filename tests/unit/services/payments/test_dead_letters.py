"""Dead letters of payments: looked at without a trace, handed back, or discarded, order by order."""

from collections.abc import Sequence

import pytest

from fakes.payment_queue import MemoryPaymentQueue
from orderstream.errors import DependencyError
from orderstream_workers.services.payments import PaymentDeadLetters
from orderstream_workers.services.payments.queue import QueuedPayment


def letters(*orders: str) -> tuple[PaymentDeadLetters, MemoryPaymentQueue, MemoryPaymentQueue]:
    dead, queue = MemoryPaymentQueue(), MemoryPaymentQueue()
    for order_id in orders:
        dead.send(order_id)
    return PaymentDeadLetters(dead, queue), dead, queue


def orders_in(queue: MemoryPaymentQueue) -> list[str]:
    return [message.order_id for message in queue.receive(10, wait=0, visibility=30)]


def test_a_look_hides_nothing() -> None:
    """More than one receive's worth is seen, and all of it can be received at once afterwards."""
    orders = [f"o-{number}" for number in range(12)]
    dead_letters, dead, _ = letters(*orders)
    assert sorted(message.order_id for message in dead_letters.waiting()) == sorted(orders)
    assert len(orders_in(dead)) == 10


def test_redrive_rings_once_for_all_letters_of_an_order() -> None:
    """The order goes back to the workers, its letters are gone, and those of others stay."""
    dead_letters, dead, queue = letters("a", "b", "a")
    assert dead_letters.redrive("a") == 2
    assert (orders_in(queue), orders_in(dead)) == (["a"], ["b"])
    assert dead_letters.redrive("none") == 0
    assert queue.depth() == 1


def test_discard_leaves_the_payment_alone() -> None:
    """The letters go, and nobody is asked to do anything."""
    dead_letters, dead, queue = letters("a", "b")
    assert dead_letters.discard("a") == 1
    assert (orders_in(queue), orders_in(dead)) == ([], ["b"])


def test_a_letter_stays_until_the_order_is_handed_back() -> None:
    """If the workers' queue does not answer, no letter is lost or stays hidden."""

    class Down(MemoryPaymentQueue):
        def send(self, order_id: str, delay: int = 0) -> None:
            raise DependencyError("sqs", "SendMessage", "down")

    dead = MemoryPaymentQueue()
    dead.send("a")
    with pytest.raises(DependencyError):
        PaymentDeadLetters(dead, Down()).redrive("a")
    assert orders_in(dead) == ["a"]


def test_a_look_at_very_many_comes_to_an_end() -> None:
    """It stops before the first letters come back, and hands all of them back."""

    class Slow(MemoryPaymentQueue):
        seconds = 0.0

        def receive(self, limit: int, *, wait: int, visibility: int) -> Sequence[QueuedPayment]:
            self.seconds += 5.0
            return super().receive(limit, wait=wait, visibility=visibility)

    dead = Slow()
    for number in range(200):
        dead.send(f"o-{number}")
    found = PaymentDeadLetters(dead, MemoryPaymentQueue(), lambda: dead.seconds).waiting()
    assert len(found) == 50
    assert len(orders_in(dead)) == 10
