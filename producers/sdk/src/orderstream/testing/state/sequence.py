"""Sequence numbers: a stream's positions, dressed as AWS writes them.

AWS' sequence numbers have 56 digits and compare as integers. Ours are a constant of that length plus the
stream's generation and the position, so that a child's are always above its parents', and those of an earlier
stream of the same name are known for what they are.
"""

from orderstream.testing.errors import invalid_argument

_BASE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000
_POSITIONS = 2**64
"""Positions of one generation; no stream uses them up."""


def sequence_number(generation: int, position: int) -> str:
    """Dress a position of a stream up."""
    return str(_BASE + generation * _POSITIONS + position)


def position_of(text: str, generation: int, member: str) -> int | None:
    """Read the position back.

    Args:
        text: The sequence number.
        generation: The stream's.
        member: The request's member, for the message.

    Returns:
        The position; None if the number is one of another stream.

    Raises:
        KinesisError: InvalidArgumentException, if it is no sequence number at all.
    """
    number = int(text) - _BASE
    if not 0 <= number < _BASE:
        raise invalid_argument(f"{member} {text} is invalid.")
    found, position = divmod(number, _POSITIONS)
    return position if found == generation else None
