r"""Which calls fail at present, and when to report it: a machine without clocks or I/O.

A trouble is a kind of call that fails with one error code::

              fails                            succeeds: said, if its beginning was
     (none) ---------> open, said at once  -----------------------------------------> (none)
                         |        ^
                         +--------+  fails: said again, ten seconds after the last time

Some calls of a kind fail for one shard only, by throttling. Their trouble is over when each of these shards
has taken a record, or is no longer there.
"""

from collections.abc import Collection
from dataclasses import dataclass, field

import msgspec

from orderstream.producer.outcome import Failure

REPEAT = 10.0
"""How long a trouble that goes on is not mentioned again, in seconds."""

# Codes come from outside: a server that makes up a new one each time must not fill the memory.
_REMEMBERED = 64


class TroubleReport(msgspec.Struct, frozen=True):
    """Something to say.

    Attributes:
        operation: The kind of call, by its API name.
        failure: The last failure.
        since: When the first call failed, in seconds.
        failures: How many have failed since.
        shards: How many shards it concerns; 0 if it concerns the calls as such.
        over: Whether it is over.
    """

    operation: str
    failure: Failure
    since: float
    failures: int
    shards: int
    over: bool = False


@dataclass(slots=True)
class _Open:
    since: float
    failure: Failure
    failures: int = 0
    whole: bool = False
    shards: set[str] = field(default_factory=set)
    said: bool = False


class Troubles:
    """All that goes wrong at present.

    Attributes:
        present: The last failure of a trouble that is not over, if there is one.
    """

    def __init__(self) -> None:
        self._open: dict[tuple[str, str], _Open] = {}
        self._said_at: dict[tuple[str, str], float] = {}
        self._reports: list[TroubleReport] = []
        self.present: Failure | None = None

    def failed(
        self,
        operation: str,
        failure: Failure,
        now: float,
        shard_id: str | None = None,
        tolerance: float = 0.0,
    ) -> None:
        """A call failed, or the part of it that was for one shard.

        Args:
            operation: The kind of call.
            failure: How it failed.
            now: The time, in seconds.
            shard_id: The shard; None if the whole call failed.
            tolerance: How long this may last before it is reported, in seconds.
        """
        kind = (operation, failure.code)
        trouble = self._open.pop(kind, None) or _Open(now, failure)
        # The last to fail comes last.
        self._open[kind] = trouble
        self.present = trouble.failure = failure
        trouble.failures += 1
        if shard_id is None:
            trouble.whole = True
        else:
            trouble.shards.add(shard_id)
        if now >= max(self._said_at.get(kind, -REPEAT) + REPEAT, trouble.since + tolerance):
            if len(self._said_at) >= _REMEMBERED:
                self._said_at.clear()
            self._said_at[kind] = now
            trouble.said = True
            self._reports.append(_report(operation, trouble))

    def worked(self, operation: str, shard_id: str | None = None) -> None:
        """A call came back in order, or the part of it that was for one shard."""
        for kind, trouble in list(self._open.items()):
            if kind[0] != operation:
                continue
            if shard_id is None:
                trouble.whole = False
            else:
                trouble.shards.discard(shard_id)
            self._close(kind, trouble)

    def keep_shards(self, shard_ids: Collection[str]) -> None:
        """Only these shards take records from now on."""
        for kind, trouble in list(self._open.items()):
            trouble.shards.intersection_update(shard_ids)
            self._close(kind, trouble)

    def named_in(self, reason: str) -> str:
        """A reason, with the present trouble if there is one."""
        return reason if self.present is None else f"{reason}; the last error was {self.present}"

    def reports(self) -> list[TroubleReport]:
        """Return what is to be said, and forget it."""
        reports, self._reports = self._reports, []
        return reports

    def __bool__(self) -> bool:
        return bool(self._open)

    def _close(self, kind: tuple[str, str], trouble: _Open) -> None:
        if trouble.whole or trouble.shards:
            return
        del self._open[kind]
        self.present = next((each.failure for each in reversed(self._open.values())), None)
        if trouble.said:
            self._reports.append(_report(kind[0], trouble, over=True))


def _report(operation: str, trouble: _Open, *, over: bool = False) -> TroubleReport:
    return TroubleReport(
        operation, trouble.failure, trouble.since, trouble.failures, len(trouble.shards), over
    )
