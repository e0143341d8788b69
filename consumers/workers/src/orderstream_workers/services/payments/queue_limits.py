"""What SQS refuses in a request: one set of checks for every implementation of the payment queue.

The figures are those of the SQS API reference. What SQS would refuse for its content fails before it is sent,
as the record's own failure: no retry can help, and an outage it is not.
"""

import re
from typing import Final

from orderstream.errors import OrderstreamError

MAX_BODY_BYTES: Final = 1_048_576
"""Largest message, UTF-8."""

MAX_DELAY: Final = 900
"""Longest delay of a message, in seconds."""

MAX_MESSAGES: Final = 10
"""Most messages of one receive."""

MAX_WAIT: Final = 20
"""Longest wait for a message, in seconds."""

MAX_VISIBILITY: Final = 43_200
"""Longest time that a message is hidden, in seconds."""

_FORBIDDEN: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class MessageRefusedError(OrderstreamError):
    """The queue will never take this message.

    Args:
        reason: What is wrong with it.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"a message for the queue {reason}; the record that led to it cannot be carried out")


def check_body(body: str) -> None:
    """Refuse a body that SQS refuses.

    Raises:
        MessageRefusedError: it is empty, over 1 MiB, or has a character that XML 1.0 does not have.
    """
    if not body:
        raise MessageRefusedError("is empty")
    if found := _FORBIDDEN.search(body):
        raise MessageRefusedError(f"has the character U+{ord(found.group()):04X}, which SQS does not take")
    if (size := len(body.encode())) > MAX_BODY_BYTES:
        raise MessageRefusedError(f"has {size:,} bytes; SQS takes {MAX_BODY_BYTES:,}")


def check_range(name: str, value: int, least: int, most: int) -> None:
    """Refuse a number that SQS refuses; a mistake of the caller.

    Raises:
        ValueError: it is outside of the range.
    """
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}; SQS takes {least} to {most}")
