"""Ids that are derived, not drawn: the same cause always gives the same id, so a retry is no second event.

Also the format of an identifier, whatever creates it: it goes into keys of tables, bodies of SQS messages,
and headers of HTTP.
"""

import re
import uuid
from typing import Final

from orderstream.messages.errors import IdentifierInvalidError

MAX_IDENTIFIER: Final = 256
"""Most characters of an identifier: a subject is a partition key, which has no more (PutRecord)."""

MAX_IDENTIFIER_BYTES: Final = 512
"""Most bytes in UTF-8: with a time and a step in front it is a sort key of DynamoDB, which holds 1,024."""

_INVISIBLE: Final = (
    r"\x00-\x1f\x7f-\xa0\xad\u061c\u1680\u180e\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff"
    r"\ufff0-\uffff\ud800-\udfff"
)
"""Control and format characters, white space but for the plain space, halves of surrogate pairs."""

PATTERN_OF_IDENTIFIERS: Final = rf"^[^{_INVISIBLE} ]([^{_INVISIBLE}]*[^{_INVISIBLE} ])?$(?!\n)"
"""Visible characters, and plain spaces between them."""

_IDENTIFIER: Final = re.compile(PATTERN_OF_IDENTIFIERS)

_EVENTS: Final = uuid.UUID("b0f4f2a4-8c6d-5a53-8f0e-9a7f5f2f8d11")


def initial_event_id(source: str, caller: str, idempotency_key: str) -> str:
    """The id of an event that no other event caused.

    Args:
        source: The service that publishes it.
        caller: Who asked for it.
        idempotency_key: The caller's own name for the request.

    Returns:
        A UUIDv5, the same for the same arguments.
    """
    return str(uuid.uuid5(_EVENTS, f"{source}/{len(caller)}:{caller}/{idempotency_key}"))


def derived_id(source: str, causation_id: str, ordinal: int) -> str:
    """The id of the n-th message that a service publishes because of another.

    The type is left out on purpose: two different decisions on one cause get the same id, so that both can
    never pass. The source is in, so that two services that react to one event do not collide.

    Args:
        source: The service that publishes the message.
        causation_id: The id of the message that caused it.
        ordinal: Its index among the messages of that decision, from 0.

    Returns:
        A UUIDv5, the same for the same arguments.
    """
    return str(uuid.uuid5(_EVENTS, f"{source}/{causation_id}/{ordinal}"))


def check_identifier(name: str, value: str) -> None:
    """Refuse what a neighbour could not carry: it would be found out long after the order was accepted.

    Args:
        name: What it is called, for the error.
        value: The identifier.

    Raises:
        IdentifierInvalidError: it is empty, too long, or holds what cannot be seen.
    """
    if (
        len(value) > MAX_IDENTIFIER
        or not _IDENTIFIER.search(value)
        or len(value.encode()) > MAX_IDENTIFIER_BYTES
    ):
        raise IdentifierInvalidError(name, value)
