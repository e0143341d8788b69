"""The windows in which a crash could lose, repeat or reorder something, by the process that has them."""

from dataclasses import dataclass

from chaos.moments import Moment, after, answered, asked, checkpoint, committed, row_deleted

PLANTED_SORT = "2000-01-01T00:00:00.000000Z#planted"
"""Sort key of a timer that is due at once; it is put among those that wait."""

COMMITTED = "effect committed, not published"
"""What the window of each handler is called in which a redelivery has to publish what was decided before."""

_PUBLISHED = answered("kinesis", "PutRecords")


@dataclass(frozen=True, slots=True)
class Window:
    """A moment in which a process is killed.

    Attributes:
        name: What a person calls it.
        process: Whose moment it is.
        moment: How it is noticed.
    """

    name: str
    process: str
    moment: Moment


def flow_windows() -> list[Window]:
    """Every window that an ordinary day has. A process passes through its own in this order."""
    return [
        Window("Kinesis has acknowledged, 202 not sent", "api", _PUBLISHED),
        Window(COMMITTED, "inventory", committed("reservations", phase="reserved")),
        _checkpoint("inventory", _PUBLISHED),
        Window("release under way", "inventory", committed("reservations", phase="releasing")),
        Window("sold, not published", "inventory", committed("reservations", phase="sold")),
        Window("effect committed, not queued", "payments", committed("payments", phase="queued")),
        _checkpoint("payments", answered("sqs", "SendMessage")),
        Window("charged, not heard of", "payment-worker", answered("payments", "POST /v1/charges")),
        Window("captured, not published", "payment-worker", committed("payments", phase="captured")),
        Window(
            "published, message not deleted",
            "payment-worker",
            after(_PUBLISHED, asked("sqs", "DeleteMessage")),
        ),
        Window("refund recorded, not asked for", "payment-worker", committed("payments", phase="refunding")),
        Window("refunded, not heard of", "payment-worker", answered("payments", "POST /v1/refunds")),
        Window(COMMITTED, "shipping", committed("shipments")),
        _checkpoint("shipping", _PUBLISHED),
        Window("StepOverdue published, row not deleted", "saga", row_deleted("saga-timers", PLANTED_SORT)),
        Window(COMMITTED, "saga", committed("saga-orders")),
        _checkpoint("saga", _PUBLISHED),
        Window("mail accepted, not recorded", "notifications", answered("ses", "SendEmail")),
        _checkpoint("notifications", _PUBLISHED),
        Window("uploaded, checkpoint not moved", "archiver", answered("s3", "PUT ")),
        Window("read model committed, checkpoint not moved", "order-status", checkpoint("order-status")),
        _checkpoint("stock-monitor", _PUBLISHED),
    ]


def chunk_windows(lines: int, chunk: int, *, release: bool) -> list[Window]:
    """Every boundary between two chunks of one order's reservation, or of its release.

    Args:
        lines: Lines of the order.
        chunk: Lines in one transaction.
        release: The release, from the last line to the first.
    """
    boundaries = range(chunk, lines, chunk)
    if release:
        return [_chunk("releasing", lines - moved) for moved in boundaries]
    return [_chunk("reserving", moved) for moved in boundaries]


def _chunk(phase: str, held: int) -> Window:
    return Window(
        f"{phase}, {held} lines held", "inventory", committed("reservations", phase=phase, held=held)
    )


def _checkpoint(process: str, published: Moment) -> Window:
    return Window("published, checkpoint not moved", process, after(published, checkpoint(process)))
