"""The fake's core: requests in, responses out, no threads and no I/O.

A call is an operation's API name and its request, with bytes as bytes and times as seconds since the epoch;
the response has the shape of the service model.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from orderstream.observability.metrics import Meter, NoMeter
from orderstream.testing.errors import KinesisError, unsupported
from orderstream.testing.faults import Fault, FaultKind, Faults
from orderstream.testing.measuring import measure_refusal, measure_response
from orderstream.testing.operations.consumers import ConsumerOperations
from orderstream.testing.operations.reading import Reading
from orderstream.testing.operations.settings import SettingOperations
from orderstream.testing.operations.shards import ShardOperations
from orderstream.testing.operations.streams import StreamOperations
from orderstream.testing.operations.tags import TagOperations
from orderstream.testing.operations.writing import Writing
from orderstream.testing.state.limits import Limits
from orderstream.testing.state.streams import Request, Response, Streams
from orderstream.testing.validation.constraints import demand
from orderstream.testing.validation.model import operation_names

_UNSUPPORTED: Final = ("StreamId", "DryRun", "WarmThroughputMiBps")
"""Members that change what Kinesis does, and that the fake does not have."""


@dataclass(frozen=True, slots=True)
class CallOutcome:
    """How a call ends that took effect.

    Attributes:
        response: The call's response; of SubscribeToShard, ``EventStream`` is the ``Subscription``.
        lost: The fault by which the response never arrives; None if it does.
        delay: Seconds by which the response is late.
    """

    response: Response
    lost: Fault | None = None
    delay: float = 0.0


class KinesisCore:
    """All streams of one account in one region.

    Args:
        limits: The limits that are kept.
        clock: Seconds since the epoch.
        account: The account's number.
        region: The region's name.
        transition_seconds: How long a stream is CREATING, UPDATING or DELETING after a change.
        seed: Seed of the faults' random rates.
        meter: Takes what CloudWatch would measure of the streams; by default nothing does.

    Attributes:
        faults: Faults on demand.
        calls: How often each operation was called.
    """

    def __init__(
        self,
        *,
        limits: Limits,
        clock: Callable[[], float],
        account: str,
        region: str,
        transition_seconds: float,
        seed: int,
        meter: Meter | None = None,
    ) -> None:
        self.faults = Faults(seed)
        self._meter = meter or NoMeter()
        self.calls: Counter[str] = Counter()
        self.streams = Streams(limits, clock, account, region, transition_seconds)
        self._writing = Writing(self.streams, self.faults)
        self._reading = Reading(self.streams)
        self._operations: dict[str, Callable[[Request], Response]] = {
            **StreamOperations(self.streams).operations(),
            **ShardOperations(self.streams).operations(),
            **SettingOperations(self.streams).operations(),
            **TagOperations(self.streams).operations(),
            **self._writing.operations(),
            **self._reading.operations(),
            **ConsumerOperations(self.streams, self._reading).operations(),
        }

    @property
    def operations(self) -> tuple[str, ...]:
        """The API names of the operations that the fake has, sorted."""
        return tuple(sorted(self._operations))

    def call(self, operation: str, request: Request) -> CallOutcome:
        """Carry out one call.

        Raises:
            KinesisError: the call is refused, as Kinesis would or as a fault demands.
        """
        self.calls[operation] += 1
        carry_out = self._operations.get(operation)
        if carry_out is None:
            raise _missing(operation)
        demand(operation, request)
        if member := next((name for name in _UNSUPPORTED if request.get(name, False) is not False), None):
            raise unsupported(f"{member} of {operation}")
        stream = self._stream_name(request)

        def shards() -> set[str]:
            return self._writing.shards_of(request) | self._reading.shards_of(request)

        try:
            if fault := self.faults.strike(FaultKind.REJECT, operation, stream, shards):
                raise fault.to_error()
            response = carry_out(request)
        except KinesisError as error:
            measure_refusal(self._meter, stream or "", operation, request, error)
            raise
        measure_response(self._meter, stream or "", operation, response)
        delayed = self.faults.strike(FaultKind.DELAY, operation, stream, shards)
        lost = self.faults.strike(FaultKind.LOSE_RESPONSE, operation, stream, shards)
        return CallOutcome(response, lost, delayed.seconds if delayed else 0.0)

    def _stream_name(self, request: Request) -> str | None:
        return self._reading.stream_of(request) or self.streams.name_in(request)


def _missing(operation: str) -> KinesisError:
    if operation in operation_names():
        return KinesisError("UnknownOperationException", f"{operation} is not supported by this fake.")
    return KinesisError("UnknownOperationException", f"Kinesis has no operation {operation}.")
