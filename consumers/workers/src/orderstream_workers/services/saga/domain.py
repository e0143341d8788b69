"""The coordinator of one order: a pure, total function of its state, a message, and the time.

::

                  all of the group done            pivot done
    (none) ──> RUNNING ────────────────> COMMITTED ───────────> CONFIRMED
     OrderPlaced  │   asks for the pivot    │  ^ │
                  │                         │  └─┘ pivot overdue: ask again, alert
                  │ refused, overdue,       │
                  │ customer's request      │ pivot refused
                  v                         v
              COMPENSATING <────────────────┘ ──────────────────> CANCELLED
                  │  ^                          every step that was asked for
                  └──┘                          has a definite reply
               compensation overdue: ask again, alert

    a step:   NONE ──> REQUESTED ──> DONE ──> CANCELLING ──> UNDONE
                          │  │                 ^   │
                          │  └─────────────────┘   │ refused after all, and never said to be done
                          └──────> REFUSED <───────┘

Until the pivot is asked for, anything but success turns the order back: every step that was *requested* is
compensated, not only those known to be done, because a reply may still be on its way. A compensation is
final with its owner, so the order in which the two commands arrive has no effect. A refusal is final too: a
refused step needs no compensation. What was done once is never believed to have been refused: such a reply
contradicts its owner, and the step waits for its compensation. Steps of one group are undone together, the
newest group first.

A deadline passes by the stream's clock: an event that says so before its time only restarts the timer. It
counts from when the request was last handed to the stream: a coordinator that is down between its commit and
the publication uses up none of the step's time.

After the pivot silence never turns back, since the parcel may have left: only a definite refusal does.
A step that was asked for again may wait for a person. What was done by hand counts as its owner's reply. A
shipment that must not happen is refused by shipping itself, so that the parcel and the money never disagree.

CONFIRMED and CANCELLED absorb whatever comes: no step is awaited there, so no reply or deadline counts.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from orderstream.messages import Command as AnyCommand
from orderstream.messages import Event as AnyEvent
from orderstream_orders.contracts import (
    Command,
    OrderCancellationRefused,
    OrderCancellationRequested,
    OrderCancelled,
    OrderConfirmed,
    OrderPlaced,
    RefuseShipment,
    StepOverdue,
    StepResolved,
)
from orderstream_workers.services.saga.deadlines import SagaDeadlines
from orderstream_workers.services.saga.definition import (
    CURRENT,
    Definition,
    Refusal,
    Reply,
    Step,
    Verdict,
    definition_of,
)
from orderstream_workers.services.saga.state import Failure, Order, Phase, Progress, Saga, Status

Input = OrderPlaced | OrderCancellationRequested | StepOverdue | StepResolved | Reply
"""The messages that the coordinator handles."""


@dataclass(frozen=True, slots=True)
class Output:
    """A message to publish.

    Attributes:
        message: The message.
        correlation_id: A request's correlation id, ``"<step>:<attempt>"``; None for an event.
    """

    message: AnyCommand | AnyEvent
    correlation_id: str | None = None


@dataclass(frozen=True, slots=True)
class SagaOutcome:
    """What to commit and publish.

    Attributes:
        saga: The order afterwards; None where it is still not known.
        outputs: Messages to publish, in order.
        alert: True where a request went out again for want of a reply: operators should look at its owner.
    """

    saga: Saga | None
    outputs: tuple[Output, ...] = ()
    alert: bool = False


@dataclass(frozen=True, slots=True)
class Ignored:
    """The message changes nothing.

    Attributes:
        reason: Why.
        expected: False where the flow's rules do not allow it, so that operators should be alerted.
    """

    reason: str
    expected: bool = True


_TAKEN: Final[Mapping[tuple[Status, Verdict], Status]] = {
    (Status.REQUESTED, Verdict.DONE): Status.DONE,
    (Status.REQUESTED, Verdict.REFUSED): Status.REFUSED,
    (Status.CANCELLING, Verdict.REFUSED): Status.REFUSED,
    (Status.CANCELLING, Verdict.UNDONE): Status.UNDONE,
}
"""The replies that move a step on. Whichever attempt they are about: a step happens once per order."""

_REPEATED: Final = frozenset(
    {
        (Status.DONE, Verdict.DONE),
        (Status.REFUSED, Verdict.REFUSED),
        (Status.REFUSED, Verdict.UNDONE),
        (Status.CANCELLING, Verdict.DONE),
        *((Status.UNDONE, verdict) for verdict in Verdict),
    }
)
"""The replies that are overtaken or come again; any other pair contradicts what the owner has said before."""

_TOO_LATE: Final[Mapping[Phase, str]] = {
    Phase.COMMITTED: "shipping_requested",
    Phase.CONFIRMED: "already_confirmed",
    Phase.CANCELLED: "already_cancelled",
}


def transition(
    saga: Saga | None,
    message: Input,
    now: dt.datetime,
    deadlines: SagaDeadlines,
    *,
    arrived: dt.datetime | None = None,
    current: Definition = CURRENT,
) -> SagaOutcome | Ignored:
    """What a message leads to.

    Args:
        saga: The order as it is; None where no order was placed.
        message: The message.
        now: The time (UTC, with zone), from which new deadlines count.
        deadlines: How long replies may take.
        arrived: When the stream took the message (UTC), by which a deadline has passed or has not; None, for
            a message from nowhere, is late enough.
        current: What new orders follow.

    Raises:
        UnknownDefinitionError: the order follows a definition that this program does not have.
    """
    if isinstance(message, OrderPlaced):
        if saga is not None:
            return Ignored("the order was placed before", expected=False)
        order = Order.from_placed(message, arrived)
        return _Turn(current, now, deadlines).start(order)
    if saga is None:
        if isinstance(message, OrderCancellationRequested):
            return SagaOutcome(None, (_cancellation_refused(message, "unknown_order"),))
        return Ignored("no such order was placed", expected=False)
    turn = _Turn(definition_of(saga.definition), now, deadlines)
    match message:
        case OrderCancellationRequested():
            return turn.cancel(saga, message)
        case StepOverdue():
            return turn.overdue(saga, message, arrived)
        case StepResolved():
            return turn.resolve(saga, message)
        case _:
            return turn.reply(saga, message)


def sent_again(
    saga: Saga, correlation_ids: Collection[str], now: dt.datetime, deadlines: SagaDeadlines
) -> Saga:
    """Count the deadlines of requests from now, as they are sent again: the first may have been lost.

    Args:
        saga: The order as it is.
        correlation_ids: The requests' correlation ids; those that are not waited for any more change nothing.
        now: The time (UTC, with zone).
        deadlines: How long replies may take.

    Returns:
        The order, with those deadlines moved that would otherwise pass earlier.

    Raises:
        UnknownDefinitionError: the order follows a definition that this program does not have.
    """
    turn = _Turn(definition_of(saga.definition), now, deadlines)
    for step in turn.definition.steps():
        progress = saga.step(step.name)
        if not progress.status.awaited or _correlation_id(step, progress.attempt) not in correlation_ids:
            continue
        due = now + turn.wait(step, progress.status)
        if progress.due is None or due > progress.due:
            moved = msgspec.structs.replace(
                progress, due=due, rearmed=progress.rearmed + 1, extended=progress.extended + 1
            )
            saga = _with(saga, step, moved)
    return saga


def decisions(saga: Saga, step: str) -> frozenset[str]:
    """What an operator may decide about a step; empty where it does not wait for a person.

    A step waits for a person once its reply was overdue and it was asked for again: the pivot after the
    point of no return, and any compensation. What is overdue before the pivot is compensated by itself.

    Args:
        saga: The order.
        step: The step's name.
    """
    if not saga.asked_again(step):
        return frozenset()
    return frozenset({"done"} if saga.phase is Phase.COMPENSATING else {"done", "refuse"})


def _cancellation_refused(request: OrderCancellationRequested, reason: str) -> Output:
    return Output(OrderCancellationRefused(order_id=request.order_id, reason=reason))


@dataclass(frozen=True, slots=True)
class _Turn:
    """One transition: the order's definition, the time, and the deadlines."""

    definition: Definition
    now: dt.datetime
    deadlines: SagaDeadlines

    def start(self, order: Order) -> SagaOutcome:
        """Ask for the first group."""
        return self._forward(Saga(order=order, definition=self.definition.version, phase=Phase.RUNNING))

    def cancel(self, saga: Saga, request: OrderCancellationRequested) -> SagaOutcome | Ignored:
        """The customer wants to cancel: possible until the pivot is asked for."""
        if saga.phase is Phase.RUNNING:
            return self._turn_back(saga, Failure("customer_request"))
        if saga.phase is Phase.COMPENSATING:
            # Nothing to publish: the cancellation replies to this customer too; but it is applied: delivered
            # again after the end it must not be refused.
            return SagaOutcome(saga)
        return SagaOutcome(saga, (_cancellation_refused(request, _TOO_LATE[saga.phase]),))

    def overdue(self, saga: Saga, late: StepOverdue, arrived: dt.datetime | None) -> SagaOutcome | Ignored:
        """A deadline has passed, as a poller's host says; by the stream's clock it may not have."""
        progress = saga.step(late.step)
        if not progress.status.awaited or progress.attempt != late.attempt:
            return Ignored("the request has been answered or made again")
        if arrived is not None and progress.due is not None and arrived < progress.due:
            rearmed = msgspec.structs.replace(progress, rearmed=progress.rearmed + 1)
            return SagaOutcome(msgspec.structs.replace(saga, steps={**saga.steps, late.step: rearmed}))
        (step,) = (step for step in self.definition.steps() if step.name == late.step)
        if progress.status is Status.CANCELLING:
            again = self._undo(saga, [step])
        elif saga.phase is Phase.COMMITTED:
            again = self._request(saga, [step])
        else:
            return self._turn_back(saga, Failure("step_overdue", late.step))
        return SagaOutcome(again.saga, again.outputs, alert=True)

    def resolve(self, saga: Saga, resolved: StepResolved) -> SagaOutcome | Ignored:
        """An operator has decided about a step that gets no reply."""
        if resolved.decision not in decisions(saga, resolved.step):
            return Ignored("the step does not wait for such a decision")
        progress = saga.step(resolved.step)
        if progress.attempt != resolved.attempt:
            return Ignored("the request was made again after the operator had looked")
        (step,) = (step for step in self.definition.steps() if step.name == resolved.step)
        if resolved.decision == "refuse":
            return self._ask(saga, [(step, RefuseShipment(order_id=saga.order.order_id))], progress.status)
        cancelling = progress.status is Status.CANCELLING
        status = Status.UNDONE if cancelling else Status.DONE
        done = progress.was_done or status is Status.DONE
        taken = _with(saga, step, msgspec.structs.replace(progress, status=status, due=None, done=done))
        return self._backward(taken) if cancelling else self._forward(taken)

    def reply(self, saga: Saga, reply: Reply) -> SagaOutcome | Ignored:
        """The owner of a step has replied."""
        found = self.definition.verdict_of(reply)
        if found is None:
            return Ignored("no step of the order's definition has such a reply", expected=False)
        step, verdict = found
        progress = saga.step(step.name)
        if verdict is Verdict.DONE and progress.status is Status.CANCELLING and not progress.was_done:
            return SagaOutcome(_with(saga, step, msgspec.structs.replace(progress, done=True)))
        if verdict is Verdict.REFUSED and progress.was_done:
            return Ignored("its owner has said that it was done", expected=False)
        status = _TAKEN.get((progress.status, verdict))
        if status is None:
            repeated = (progress.status, verdict) in _REPEATED
            return Ignored("it was known" if repeated else "it contradicts the step's status", repeated)
        done = progress.was_done or status is Status.DONE
        taken = _with(saga, step, msgspec.structs.replace(progress, status=status, due=None, done=done))
        if saga.phase is Phase.COMPENSATING:
            return self._backward(taken)
        if isinstance(reply, Refusal):
            return self._turn_back(taken, Failure(reply.reason, step.name))
        return self._forward(taken)

    def wait(self, step: Step, status: Status) -> dt.timedelta:
        """How long the reply to a request may take."""
        return step.deadline(self.deadlines) if status is Status.REQUESTED else self.deadlines.compensation

    def _turn_back(self, saga: Saga, failure: Failure) -> SagaOutcome:
        return self._backward(msgspec.structs.replace(saga, phase=Phase.COMPENSATING, failure=failure))

    def _forward(self, saga: Saga) -> SagaOutcome:
        """Ask for the next group once the one before is done; confirm the order after the last."""
        for group in self.definition.groups:
            statuses = {saga.step(step.name).status for step in group}
            if statuses == {Status.NONE}:
                pivotal = self.definition.pivot in group
                phase = Phase.COMMITTED if pivotal else Phase.RUNNING
                return self._request(msgspec.structs.replace(saga, phase=phase), group)
            if statuses != {Status.DONE}:
                return SagaOutcome(saga)
        order = saga.order
        confirmed = OrderConfirmed(
            order_id=order.order_id,
            customer=order.customer,
            total_minor=order.total_minor,
            currency=order.currency,
        )
        return SagaOutcome(msgspec.structs.replace(saga, phase=Phase.CONFIRMED), (Output(confirmed),))

    def _backward(self, saga: Saga) -> SagaOutcome:
        """Undo the newest group of which something may have been done; cancel the order after the first."""
        for group in reversed(self.definition.groups):
            statuses = {step.name: saga.step(step.name).status for step in group}
            if Status.CANCELLING in statuses.values():
                return SagaOutcome(saga)
            undoable = [step for step in group if statuses[step.name] in {Status.REQUESTED, Status.DONE}]
            if undoable:
                return self._undo(saga, undoable)
        failure, order = saga.failure, saga.order
        assert failure is not None
        cancelled = OrderCancelled(
            order_id=order.order_id,
            customer=order.customer,
            reason=failure.reason,
            failed_step=failure.step,
        )
        return SagaOutcome(msgspec.structs.replace(saga, phase=Phase.CANCELLED), (Output(cancelled),))

    def _request(self, saga: Saga, steps: Sequence[Step]) -> SagaOutcome:
        commands = [(step, step.command(saga.order, self.now, self.deadlines)) for step in steps]
        return self._ask(saga, commands, Status.REQUESTED)

    def _undo(self, saga: Saga, steps: Sequence[Step]) -> SagaOutcome:
        commands = [
            (step, step.compensation(order_id=saga.order.order_id))
            for step in steps
            if step.compensation is not None
        ]
        return self._ask(saga, commands, Status.CANCELLING)

    def _ask(self, saga: Saga, commands: Sequence[tuple[Step, Command]], status: Status) -> SagaOutcome:
        outputs = []
        for step, command in commands:
            before = saga.step(step.name)
            attempt = before.attempt + 1
            saga = _with(
                saga, step, Progress(status, attempt, self.now + self.wait(step, status), before.was_done)
            )
            outputs.append(Output(command, _correlation_id(step, attempt)))
        return SagaOutcome(self._without_spent_lines(saga), tuple(outputs))

    def _without_spent_lines(self, saga: Saga) -> Saga:
        """Keep the lines no longer than until every request that names them has been made."""
        needing = (step for step in self.definition.steps() if step.needs_lines)
        if any(saga.step(step.name).status is Status.NONE for step in needing):
            return saga
        return msgspec.structs.replace(saga, order=msgspec.structs.replace(saga.order, lines=()))


def _correlation_id(step: Step, attempt: int) -> str:
    """The correlation id of a request."""
    return f"{step.name}:{attempt}"


def _with(saga: Saga, step: Step, progress: Progress) -> Saga:
    return msgspec.structs.replace(saga, steps={**saga.steps, step.name: progress})
