"""What the coordinator cannot make sense of, and what an operator may not decide."""

from orderstream.errors import OrderstreamError


class UnknownDefinitionError(OrderstreamError):
    """An order follows a version of the flow that this program does not know: it was started by a newer one.

    Args:
        version: The version that the order is pinned to.
    """

    def __init__(self, version: int) -> None:
        self.version = version
        super().__init__(
            f"no definition of the order flow has version {version}; deploy the coordinator that started the "
            "order, or a newer one, then redrive the order"
        )


class UnknownOrderError(OrderstreamError):
    """The coordinator knows no such order.

    Args:
        order_id: The order.
    """

    def __init__(self, order_id: str) -> None:
        self.order_id = order_id
        super().__init__(
            f"the coordinator knows no order {order_id}; check its id with `orderstream order show`, and "
            "which environment is meant"
        )


class UnaskedReplyError(OrderstreamError):
    """A reply answers no command that the coordinator has sent.

    Args:
        order_id: The order that it is about.
        reply: The type of the reply.
        correlation_id: The command that it says it answers; None where it says none.
        reason: What does not fit.
    """

    def __init__(self, order_id: str, reply: str, correlation_id: str | None, reason: str) -> None:
        self.order_id = order_id
        self.reply = reply
        self.correlation_id = correlation_id
        self.reason = reason
        super().__init__(
            f"{reply} for order {order_id} answers command {correlation_id!r}: {reason}; find out who "
            "sent it, then drop it with `orderstream dlq`, or mend its sender"
        )


class NotWaitingError(OrderstreamError):
    """A step does not wait for an operator's decision.

    Args:
        order_id: The order.
        step: The step.
        decision: What was decided.
        offered: What may be decided about the step now.
    """

    def __init__(self, order_id: str, step: str, decision: str, offered: tuple[str, ...]) -> None:
        self.order_id = order_id
        self.step = step
        self.decision = decision
        self.offered = offered
        may = f"it may be: {', '.join(offered)}" if offered else "it does not wait for a person now"
        super().__init__(
            f"step {step} of order {order_id} cannot be resolved as {decision}; {may}; "
            "look at it with `orderstream saga show`"
        )
