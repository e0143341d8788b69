"""The time by Kinesis' clock, from the headers of its responses."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Final

from orderstream.aws import responded_at

_RESOLUTION: Final = dt.timedelta(seconds=1)
"""An HTTP date has no fractions of a second."""


def moment_before(response: Mapping[str, Any], sent: dt.datetime, received: dt.datetime) -> dt.datetime:
    """A moment of Kinesis' clock at or shortly before the one at which it began on a call.

    Times of arrival are given by that clock, so a moment that is compared with them must be, too.

    Args:
        response: The call's response; its ``Date`` header is when Kinesis responded.
        sent: When the call was sent, by our clock; used where there is no header, as in a fake.
        received: When the response was there, by our clock.
    """
    answered = responded_at((response.get("ResponseMetadata") or {}).get("HTTPHeaders") or {})
    if answered is None:
        return sent
    return answered - _RESOLUTION - max(received - sent, dt.timedelta())
