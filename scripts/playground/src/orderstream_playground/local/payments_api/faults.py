"""What goes wrong at the provider, on demand."""

from collections import Counter
from typing import Annotated

import msgspec

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Seconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class FaultRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Body of ``POST /_faults``; it replaces whatever was demanded before.

    Attributes:
        latency_seconds: Added to each response.
        lost_responses: So many of the next requests are carried out and get no response in time.
        hang_seconds: How long a lost response is held back before it becomes a 504.
        errors: So many of the next requests get a 500, and nothing is carried out.
        throttles: So many of the next requests get a 429, whatever the rate.
        declines: So many of the next new charges are declined.
        outage_seconds: Every charge and refund gets a 503 for so long.
    """

    latency_seconds: _Seconds = 0.0
    lost_responses: _Count = 0
    hang_seconds: _Seconds = 30.0
    errors: _Count = 0
    throttles: _Count = 0
    declines: _Count = 0
    outage_seconds: _Seconds = 0.0


class Faults:
    """The faults that are still to come.

    Attributes:
        struck: How often which has struck, under the names of ``FaultRequest``.
    """

    def __init__(self) -> None:
        self._demand = FaultRequest()
        self._outage_until = 0.0
        self._lost = self._errors = self._throttles = self._declines = 0
        self.struck: Counter[str] = Counter()

    def demand(self, request: FaultRequest, now: float) -> None:
        """Replace the faults.

        Args:
            request: The faults to inject.
            now: Seconds on a monotonic clock.
        """
        self._demand = request
        self._outage_until = now + request.outage_seconds
        self._lost, self._errors, self._declines = request.lost_responses, request.errors, request.declines
        self._throttles = request.throttles

    @property
    def latency(self) -> float:
        """Seconds added to each response."""
        return self._demand.latency_seconds

    @property
    def hang(self) -> float:
        """Seconds that a lost response is held back."""
        return self._demand.hang_seconds

    def refusal(self, now: float) -> int | None:
        """The status to refuse the next request with; None to carry it out."""
        if now < self._outage_until:
            self.struck["outage"] += 1
            return 503
        if self._errors:
            self._errors -= 1
            self.struck["errors"] += 1
            return 500
        if self._throttles:
            self._throttles -= 1
            self.struck["throttles"] += 1
            return 429
        return None

    def decline(self) -> bool:
        """Whether the next new charge is declined whatever the card says."""
        if self._declines:
            self._declines -= 1
            self.struck["declines"] += 1
            return True
        return False

    def lose_response(self) -> bool:
        """Whether the response of a request that was carried out gets lost."""
        if self._lost:
            self._lost -= 1
            self.struck["lost_responses"] += 1
            return True
        return False
