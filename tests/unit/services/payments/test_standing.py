"""What a payment worker says of itself: whether the queue is read and payments are settled."""

import datetime as dt
from typing import Any

from fakes.metrics import Recorded
from orderstream_consumer.health.watch import DependencyState
from orderstream_workers.runtime.payment_worker import measure_payments, payment_report
from orderstream_workers.services.payments.standing import StandingKeeper

START = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


class World:
    """A keeper under a clock."""

    def __init__(self) -> None:
        self.now = START
        self.keeper = StandingKeeper(lambda: self.now)

    def after(self, seconds: float) -> None:
        self.now += dt.timedelta(seconds=seconds)

    def report(self, dependencies: tuple[DependencyState, ...] = ()) -> dict[str, Any]:
        return payment_report(
            self.keeper.standing(),
            dependencies=dependencies,
            counters={},
            figures={},
            stopping=False,
            now=self.now,
        )

    def said(self, dependencies: tuple[DependencyState, ...] = ()) -> tuple[bool, bool, str | None]:
        report = self.report(dependencies)
        return report["healthy"], report["ready"], report["reason"]

    def unsettled(self) -> list[float]:
        """What is measured now; nothing where it is unknown."""
        meter = Recorded()
        measure_payments(self.report(), meter)
        return meter.values.get(("UnsettledTime",), [])


def test_a_queue_that_was_never_read_is_an_illness() -> None:
    """A missing queue, or missing credentials, from the very start."""
    world = World()
    world.keeper.round_failed("sqs did not complete GetQueueUrl: QueueDoesNotExist")
    world.after(90)
    assert world.said() == (True, True, None)
    world.after(1)
    assert world.said() == (
        False,
        False,
        "the payment queue has not been read for 91 s: sqs did not complete GetQueueUrl: QueueDoesNotExist",
    )
    world.keeper.round_done()
    assert world.said()[0]


def test_a_provider_that_never_answers_is_an_illness_while_payments_wait() -> None:
    """The queue is read all the while; what counts is that payments are settled."""
    world = World()
    for _ in range(10):
        world.after(10)
        world.keeper.round_done()
        world.keeper.postponed("ConnectError")
    assert world.said() == (True, True, None)
    world.after(1)
    world.keeper.postponed("ConnectError")
    assert world.said() == (
        False,
        False,
        "no payment was settled for 91 s although payments wait: ConnectError",
    )
    world.keeper.settled()
    assert world.said() == (True, True, None)


def test_a_payment_that_somebody_else_has_settled_waits_no_more() -> None:
    """It was not tried again here, so it is not here that it waits."""
    world = World()
    world.keeper.postponed("ConnectError")
    for _ in range(12):
        world.after(10)
        world.keeper.round_done()
    assert world.said()[0]


def test_it_is_ready_once_everything_has_answered() -> None:
    """Provider, queue and tables alike."""
    world = World()
    silent = DependencyState("provider http://p", START, failure="GET: ConnectError")
    assert world.said((silent,)) == (
        True,
        False,
        "the provider http://p has not responded yet: GET: ConnectError",
    )


def test_a_queue_that_is_not_read_says_nothing_of_what_waits() -> None:
    """Once no payment is tried any more, a time of 0 would end the alarm while all of them wait."""
    world = World()
    world.keeper.round_done()
    assert world.unsettled() == [0]
    world.keeper.postponed("the provider is away")
    world.after(50)
    world.keeper.round_failed("the table of the rate limit is away")
    assert world.unsettled() == [50]
    world.after(20)
    assert world.unsettled() == []
    world.keeper.round_done()
    assert world.unsettled() == [0]
