"""What a response of AWS always has: who gave it, its members, its time. No calls, no clients."""

import datetime as dt
import email.utils
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, TypeVar

Member = TypeVar("Member")


class UnreadableResponseError(ValueError):
    """A response that is not the service's, or lacks a member that the service always returns.

    ``aws_calls`` turns it into a DependencyError.
    """


def given_by_service(response: Mapping[str, Any]) -> Mapping[str, Any]:
    """A response, if the service itself gave it: AWS puts an id on each, and a gateway's page has none.

    Needed wherever a response without any members is a statement: a write that succeeded, an item that is
    not there.

    Args:
        response: What a boto3 client returned.

    Raises:
        UnreadableResponseError: It bears no request id.
    """
    if not response["ResponseMetadata"].get("RequestId"):
        raise UnreadableResponseError(
            "its response bears no request id, so something in between gave it: a proxy, a gateway, a portal"
        )
    return response


def required(response: object, name: str, kind: type[Member]) -> Member:
    """A member that the service always gives.

    Args:
        response: The response, or a structure in it; what is none lacks every member.
        name: The member.
        kind: Its type; a text must not be empty.

    Raises:
        UnreadableResponseError: It is not there, or is something else.
    """
    value = response.get(name) if isinstance(response, Mapping) else None
    if not isinstance(value, kind) or value == "":
        raise UnreadableResponseError(f"its response has no {name} that is a {kind.__name__}")
    return value


_DATE_LENGTH: Final = len("Sun, 06 Nov 1994 08:49:37 GMT")
"""An IMF-fixdate, the one form that may be sent (RFC 9110, 5.6.7)."""


def responded_at(headers: Mapping[str, Any]) -> dt.datetime | None:
    """When AWS responded (UTC), by its own clock, to the second: the ``Date`` header of RFC 9110, 6.6.1.

    Args:
        headers: The response's headers, by lower-case name.

    Returns:
        The time; None where there is no date, or none that can be read.
    """
    # Where a service and a server or proxy before it each set one, a client sees both, joined by a comma.
    return _parsed(str(headers.get("date"))[:_DATE_LENGTH])


@lru_cache
def _parsed(date: str) -> dt.datetime | None:
    """An HTTP date, or None if it is none; many responses within a second bear the same."""
    try:
        parsed = email.utils.parsedate_to_datetime(date)
        return None if parsed.tzinfo is None else parsed.astimezone(dt.UTC)
    except (OverflowError, TypeError, ValueError):
        return None


def structure(value: object, name: str) -> Mapping[str, object]:
    """A structure in another one; empty where it is missing, or something else."""
    found = value.get(name) if isinstance(value, Mapping) else None
    return found if isinstance(found, Mapping) else {}
