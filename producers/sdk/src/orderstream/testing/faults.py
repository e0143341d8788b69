"""Faults on demand: this call, this shard, so many times, or at a seeded random rate."""

from collections import Counter
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum
from random import Random
from typing import Any, Final

import msgspec

from orderstream.testing.errors import KinesisError
from orderstream.testing.validation.model import error_codes, operation_names


class FaultKind(StrEnum):
    """What goes wrong."""

    REJECT = "reject"
    """The call is refused with an error and has no effect."""
    FAIL_RECORDS = "fail_records"
    """Records of a PutRecords are refused one by one; the others are taken."""
    LOSE_RESPONSE = "lose_response"
    """The call takes effect, its response is lost: ``error`` ConnectionClosedError or ReadTimeoutError."""
    DELAY = "delay"
    """The call takes effect and its response comes late."""


_DEFAULT_ERRORS = {
    FaultKind.REJECT: "ProvisionedThroughputExceededException",
    FaultKind.FAIL_RECORDS: "ProvisionedThroughputExceededException",
    FaultKind.LOSE_RESPONSE: "ConnectionClosedError",
    FaultKind.DELAY: "",
}


_LOST: Final = ("ConnectionClosedError", "ReadTimeoutError")


class Fault(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One scripted fault.

    Attributes:
        operation: The call's API name, e.g. ``"PutRecords"``, one that Kinesis has; ``"*"`` means any.
            ``"ListShards"`` makes the shard map unavailable.
        kind: What goes wrong; default: the call is rejected.
        error: The error's code, e.g. ``"InternalFailure"`` for HTTP 500, one that Kinesis returns; the
            default depends on the kind.
        message: The error's message.
        stream: Only calls on this stream; None means any.
        shard_id: Only calls that touch this shard, or records that go to it; None means any.
        times: How often it strikes (records are counted one by one); None means forever. Default 1.
        skip: How many matching calls (or records) pass before it strikes first; default 0.
        rate: The probability with which it strikes a call (or record) it matches; default 1.
        seconds: For DELAY: how late the response is.
    """

    operation: str
    kind: FaultKind = FaultKind.REJECT
    error: str = ""
    message: str = "A fault was asked for."
    stream: str | None = None
    shard_id: str | None = None
    times: int | None = 1
    skip: int = 0
    rate: float = 1.0
    seconds: float = 0.0

    def __post_init__(self) -> None:
        kind = FaultKind(self.kind)  # refuses a text that is no kind
        if self.operation != "*" and self.operation not in operation_names():
            raise ValueError(
                f"operation is {self.operation!r}, which Kinesis does not have{_near(self.operation)}"
            )
        if self.error and self.error not in (known := _codes(kind)):
            raise ValueError(f"error is {self.error!r}; {kind} can be {', '.join(sorted(known))}")
        if kind is FaultKind.FAIL_RECORDS and self.operation not in ("*", "PutRecord", "PutRecords"):
            raise ValueError(f"{self.operation} puts no records, so none of them can fail")
        if not 0 <= self.rate <= 1:
            raise ValueError(f"rate is {self.rate}; it must be from 0 to 1")
        if self.times is not None and self.times < 1:
            raise ValueError(f"times is {self.times}; it must be at least 1, or None forever")
        if self.skip < 0 or self.seconds < 0:
            raise ValueError("skip and seconds must not be negative")

    @property
    def code(self) -> str:
        """The error's code, by default that of its kind."""
        return self.error or _DEFAULT_ERRORS[self.kind]

    def to_error(self) -> KinesisError:
        """The error that the call returns."""
        return KinesisError(self.code, self.message)


@dataclass(slots=True)
class _Armed:
    """A fault and what is left of it."""

    fault: Fault
    times: int | None
    skip: int

    def strikes(self, random: Random) -> bool:
        if self.times == 0:
            return False
        if self.skip > 0:
            self.skip -= 1
            return False
        if self.fault.rate < 1 and random.random() >= self.fault.rate:
            return False
        if self.times is not None:
            self.times -= 1
        return True


class Faults:
    """The faults that are armed.

    Args:
        seed: Seed of the random rates: the same calls in the same order meet the same faults.

    Attributes:
        struck: How often faults have struck, by kind and error, e.g. ``"reject:InternalFailure"``.
    """

    def __init__(self, seed: int = 0) -> None:
        self._random = Random(seed)  # noqa: S311 - repeatable on purpose
        self._armed: list[_Armed] = []
        self.struck: Counter[str] = Counter()

    def add(self, *faults: Fault) -> None:
        """Arm faults; they strike in the order in which they were added."""
        # A new list: a call in another thread may be walking the old one.
        self._armed = [*self._armed, *(_Armed(fault, fault.times, fault.skip) for fault in faults)]

    def clear(self) -> None:
        """Disarm all."""
        self._armed = []

    @property
    def pending(self) -> tuple[Fault, ...]:
        """The faults that can still strike."""
        return tuple(armed.fault for armed in self._armed if armed.times != 0)

    def strike(
        self, kind: FaultKind, operation: str, stream: str | None, shards: Callable[[], Collection[str]]
    ) -> Fault | None:
        """Return the first fault of a kind that strikes a call.

        Args:
            kind: What may go wrong at this point.
            operation: The call's API name.
            stream: The stream it is about.
            shards: Finds the shards it touches; asked only if a fault is about a shard.
        """
        for armed in self._armed:
            fault = armed.fault
            if fault.kind != kind or not _matches(fault, operation, stream):
                continue
            if fault.shard_id is not None and fault.shard_id not in shards():
                continue
            if armed.strikes(self._random):
                self.struck[f"{FaultKind(fault.kind)}:{fault.code}".rstrip(":")] += 1
                return fault
        return None

    def strike_record(self, operation: str, stream: str, shard_id: str) -> Fault | None:
        """Return the first fault that refuses a record that goes to a shard."""
        if not self._armed:
            return None
        return self.strike(FaultKind.FAIL_RECORDS, operation, stream, lambda: (shard_id,))


def faults_from_json(body: bytes) -> list[Fault]:
    """Read one fault or a list of them from JSON.

    Raises:
        msgspec.ValidationError: it is not a fault.
    """
    decoded: Any = msgspec.json.decode(body)
    items: Iterable[Any] = decoded if isinstance(decoded, list) else [decoded]
    return [msgspec.convert(item, Fault) for item in items]


def _codes(kind: FaultKind) -> Collection[str]:
    """The errors that a kind of fault can have."""
    match kind:
        case FaultKind.LOSE_RESPONSE:
            return _LOST
        case FaultKind.DELAY:
            return ()
        case _:
            return error_codes()


def _near(operation: str) -> str:
    found = get_close_matches(operation, operation_names(), n=1)
    return f"; did you mean {found[0]}?" if found else ""


def _matches(fault: Fault, operation: str, stream: str | None) -> bool:
    return fault.operation in ("*", operation) and fault.stream in (None, stream)
