"""Whatever order messages arrive in, however often: one end, and never a half-undone order."""

import datetime as dt

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, multiple, rule

from fakes.order_world import OrderWorld
from orderstream_orders.contracts import (
    Command,
    Customer,
    Event,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderLine,
    OrderPlaced,
    RefundPayment,
    ReleaseStock,
    ShipOrder,
    StepOverdue,
    StepResolved,
)
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import definition_of
from orderstream_workers.services.saga.domain import Ignored, decisions, transition
from orderstream_workers.services.saga.state import Phase, Saga, Status

FLOW = definition_of(1)
"""The flow that these tests tell of, whichever new orders follow."""

START = dt.datetime(2010, 12, 1, 8, 26, tzinfo=dt.UTC)
PLACED = OrderPlaced(
    order_id="o-1",
    customer=Customer(),
    country="France",
    lines=(OrderLine(sku="A", quantity=1, unit_price="1.00", total_minor=100),),
    total_minor=100,
    currency="GBP",
)
MOSTLY = st.sampled_from([True, True, True, False])
DEFINITE = {Status.REFUSED, Status.UNDONE}


class OneOrder(RuleBasedStateMachine):
    """Commands and replies are delivered in any order, late, twice; timers fire whenever they run."""

    commands: Bundle[Command] = Bundle("commands")
    replies: Bundle[Event] = Bundle("replies")

    def __init__(self) -> None:
        super().__init__()
        self.saga: Saga | None = None
        self.now = START
        self.asked: list[Command] = []
        self.ends: list[Event] = []

    @initialize(
        target=commands,
        stock=MOSTLY,
        card=MOSTLY,
        destination=st.booleans(),
        smooth=st.booleans(),
    )
    def placed(self, stock: bool, card: bool, destination: bool, smooth: bool) -> object:
        """A smooth beginning answers the first requests at once, so that many orders reach the pivot."""
        self.world = OrderWorld(stock, card, destination)
        self._hear(PLACED)
        for command in tuple(self.asked) if smooth else ():
            self._hear(self.world.carry_out(command))
        return multiple(*self.asked)

    @rule(target=replies, command=commands)
    def carried_out(self, command: Command) -> Event:
        """A command reaches its owner: the first time, or once more."""
        return self.world.carry_out(command)

    @rule(target=commands, reply=consumes(replies))
    def answered(self, reply: Event) -> object:
        return self._hear(reply)

    @rule(target=commands, reply=replies)
    def answered_and_coming_again(self, reply: Event) -> object:
        return self._hear(reply)

    @rule(target=commands, choice=st.integers(0, 2))
    def overdue(self, choice: int) -> object:
        assert self.saga is not None
        timers = sorted(self.saga.timers(), key=lambda timer: timer.step)
        if not timers:
            return multiple()
        timer = timers[choice % len(timers)]
        self.now = max(self.now, timer.due)
        return self._hear(StepOverdue(order_id="o-1", step=timer.step, attempt=timer.attempt))

    @rule(
        target=commands,
        step=st.sampled_from([step.name for step in FLOW.steps()]),
        attempt=st.integers(1, 3),
    )
    def overdue_long_ago(self, step: str, attempt: int) -> object:
        """A timer that was cleared, or answered by an earlier event, is heard all the same."""
        assert self.saga is not None
        if attempt >= self.saga.step(step).attempt and self.saga.step(step).status.awaited:
            return multiple()
        return self._hear(StepOverdue(order_id="o-1", step=step, attempt=attempt))

    @rule(target=commands)
    def customer_cancels(self) -> object:
        return self._hear(OrderCancellationRequested(order_id="o-1"))

    @rule(target=commands, choice=st.integers(0, 5))
    def operator_decides(self, choice: int) -> object:
        """A step that was asked for again: done by hand, or the shipment to be refused by shipping."""
        assert self.saga is not None
        offered = [
            (name, decision)
            for name in sorted(self.saga.steps)
            for decision in sorted(decisions(self.saga, name))
        ]
        if not offered:
            return multiple()
        step, decision = offered[choice % len(offered)]
        undo = self.saga.step(step).status is Status.CANCELLING
        if decision == "done":
            if self.world.finals.get("shipping") == "refused" and not undo:
                return multiple()  # what shipping has refused for good is not shipped by hand
            self.world.by_hand(step, undo=undo)
        return self._hear(self._resolved(step, self.saga.step(step).attempt, decision))

    @rule(
        target=commands,
        step=st.sampled_from([step.name for step in FLOW.steps()]),
        attempt=st.integers(1, 3),
        decision=st.sampled_from(["done", "refuse"]),
    )
    def operator_decides_what_is_not_offered(self, step: str, attempt: int, decision: str) -> object:
        """Too early, too late, about another request: it changes nothing."""
        assert self.saga is not None
        offered = decision in decisions(self.saga, step)
        if not (offered and attempt == self.saga.step(step).attempt):
            message = self._resolved(step, attempt, decision)
            assert isinstance(
                transition(self.saga, message, self.now, SagaDeadlines(), current=FLOW), Ignored
            )
        return multiple()

    @staticmethod
    def _resolved(step: str, attempt: int, decision: str) -> StepResolved:
        return StepResolved(
            order_id="o-1",
            step=step,
            attempt=attempt,
            decision=decision,  # type: ignore[arg-type]
            operator="me",
            reason="by hand",
        )

    @rule(target=commands)
    def placed_again(self) -> object:
        return self._hear(PLACED)

    def _hear(self, message: Event) -> object:
        before = self.saga
        outcome = transition(before, message, self.now, SagaDeadlines(), current=FLOW)  # type: ignore[arg-type]
        if isinstance(outcome, Ignored):
            return multiple()
        if before is not None and before.phase.terminal:
            assert outcome.saga == before, "terminal states absorb"
        self.saga = outcome.saga
        if before is not None:
            self._check_attempts(before, message)
        said = [output.message for output in outcome.outputs]
        asked = [message for message in said if isinstance(message, Command)]
        for command in asked:
            self._check_request(command)
        ends = [message for message in said if isinstance(message, OrderConfirmed | OrderCancelled)]
        refusals = [message for message in said if isinstance(message, OrderCancellationRefused)]
        assert len(said) == len(asked) + len(ends) + len(refusals)
        self.ends += ends
        self.asked += asked
        return multiple(*asked)

    def _check_request(self, command: Command) -> None:
        assert not self.ends, "nothing is asked for after the end"
        assert self.saga is not None
        if isinstance(command, ShipOrder):
            assert self.saga.phase is Phase.COMMITTED
            assert {self.saga.step(name).status for name in ("reserve_stock", "capture_payment")} == {
                Status.DONE
            }
        if isinstance(command, ReleaseStock | RefundPayment):
            assert self.saga.phase is Phase.COMPENSATING
            pivot_was_asked_for = any(isinstance(earlier, ShipOrder) for earlier in self.asked)
            assert not pivot_was_asked_for or self.world.finals.get("shipping") == "refused"

    def _check_attempts(self, before: Saga, message: Event) -> None:
        assert self.saga is not None
        for name, progress in before.steps.items():
            after = self.saga.step(name)
            if after.status is progress.status and after.attempt != progress.attempt:
                assert isinstance(message, StepOverdue | StepResolved)
                assert (message.step, message.attempt) == (name, progress.attempt)

    @invariant()
    def an_order_ends_once_and_whole(self) -> None:
        """At most one terminal event; cancelled: all steps definite; confirmed: all done."""
        if self.saga is None:
            return
        assert len(self.ends) == int(self.saga.phase.terminal)
        finals = self.world.finals
        if self.saga.phase is Phase.CANCELLED:
            assert {progress.status for progress in self.saga.steps.values()} <= DEFINITE
            assert all(finals[service] in {"refused", "undone"} for service in ("inventory", "payments"))
            assert finals.get("shipping") != "done"
        if self.saga.phase is Phase.CONFIRMED:
            assert set(finals.values()) == {"done"}

    @invariant()
    def every_wait_has_a_timer(self) -> None:
        """An order before its end waits for a reply, and each wait has a deadline that is running."""
        if self.saga is None:
            return
        awaited = {name for name, progress in self.saga.steps.items() if progress.status.awaited}
        assert {timer.step for timer in self.saga.timers()} == awaited
        assert bool(awaited) is not self.saga.phase.terminal

    def teardown(self) -> None:
        """Once every request is answered, the order is at its one end."""
        if self.saga is None:
            return
        for _ in range(10):
            for command in list(self.asked):
                self._hear(self.world.carry_out(command))
            if self.saga.phase.terminal:
                break
        assert self.saga.phase.terminal
        assert len(self.ends) == 1
        self.an_order_ends_once_and_whole()


TestOneOrder = OneOrder.TestCase
TestOneOrder.settings = settings(max_examples=200, stateful_step_count=30, deadline=None)
