"""Sequence numbers: a stream's positions, dressed as AWS writes them.

AWS' sequence numbers have 56 digits and compare as integers. Ours are a constant of that length plus the
position, so that a child's are always above its parents'.
"""

from orderstream.testing.errors import invalid_argument

_BASE = 49_600_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000_000


def sequence_number(position: int) -> str:
    """Dress a position up."""
    return str(_BASE + position)


def position_of(text: str) -> int:
    """Read the position back.

    Raises:
        KinesisError: InvalidArgumentException, if it is no sequence number of ours.
    """
    if not (text.isascii() and text.isdigit()) or not 0 <= int(text) - _BASE < 2**63:
        raise invalid_argument(f"StartingSequenceNumber {text} is invalid.")
    return int(text) - _BASE
