"""Which stream an application's leases belong to: a name alone does not say.

A stream that is deleted and made again under its name, or a worker that is pointed at another stream, would
meet leases that say "ended" of shards it has never read, and checkpoints that its shards have never had. So
what a stream is (its ARN and the time of its creation) is kept beside the leases, on both engines.

::

                  confirm: as kept, or nothing kept yet         watch: as kept
    (starting) ─────────────────────────────────────> SAME ───────────────────> SAME
        │                                              │
        │ confirm: another stream                      │ watch: another stream
        v                                              v
    StreamChangedError <───────────────────────────────┘
        │
        └── a person: adopt deletes the leases, once no worker renews them, and keeps the new stream; so it
            does where nothing is kept yet and leases are there, which an earlier version may have made

A stream that does not exist is waited for, and shown in ``/health``; if a time-out is set, the worker ends.
"""

import datetime as dt
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Self

from botocore.exceptions import ClientError

from orderstream.aws import aws_calls, required
from orderstream.errors import DependencyError, OrderstreamError
from orderstream_consumer.engines.embedded.leases import Lease, LeaseTable
from orderstream_consumer.processing.errors import StreamGoneError
from orderstream_consumer.processing.processor import StopSignal
from orderstream_consumer.store import ConditionFailedError, ContentionError, Item, Put, Store, TableSpec

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

logger = logging.getLogger(__name__)

CONSUMED_STREAMS: Final = TableSpec("consumed-streams")
"""One item per application: the stream that its leases belong to."""

_RETRY_PAUSE: Final = 2.0


@dataclass(frozen=True, slots=True)
class StreamIdentity:
    """The identity of a stream, which also distinguishes it from an earlier one of its name.

    Attributes:
        arn: Its ARN.
        created_at: When it was created (UTC, ISO 8601).
    """

    arn: str
    created_at: str

    @property
    def text(self) -> str:
        """Both in one word and a time, as leases bear them."""
        return f"{self.arn} {self.created_at}"

    @classmethod
    def noted(cls, item: Item) -> Self:
        """Read an item of ``CONSUMED_STREAMS``."""
        return cls(str(item.attributes["arn"]), str(item.attributes["created_at"]))

    @classmethod
    def of(cls, client: "KinesisClient", stream: str, *, ordered: bool = False) -> Self:
        """Ask Kinesis.

        Args:
            client: Asks it.
            stream: The stream's name.
            ordered: Whether the records of a key are to be in order.

        Raises:
            KeysUnorderedError: They are to be, and the stream distributes records itself.
            StreamGoneError: There is no such stream.
            DependencyError: Kinesis could not be reached, or its response is not whole.
        """

        def gone(code: str, _error: ClientError) -> Exception | None:
            return StreamGoneError(stream) if code == "ResourceNotFoundException" else None

        with aws_calls("kinesis", "DescribeStreamSummary", client=client, resource=stream, refusals=gone):
            response = client.describe_stream_summary(StreamName=stream)
            summary = required(response, "StreamDescriptionSummary", dict)
            created = required(summary, "StreamCreationTimestamp", dt.datetime)
            if ordered and summary.get("RecordDistributionStrategy") == "AUTO":
                raise KeysUnorderedError(stream)
            return cls(required(summary, "StreamARN", str), created.astimezone(dt.UTC).isoformat())


class KeysUnorderedError(OrderstreamError):
    """The stream puts the records of one key on several shards, and the application needs them in order.

    Args:
        stream: The stream.
    """

    def __init__(self, stream: str) -> None:
        self.stream = stream
        super().__init__(
            f"stream {stream} distributes records itself (record distribution AUTO): the records of a "
            "key are on several shards, where neither order nor parking behind a failed record holds; "
            "nothing is read; give the stream the record distribution USER_PARTITION_KEY, or name another one"
        )


_UNKNOWN: Final = StreamIdentity("a former stream", "at a time that is not known")
"""The value while leases of an unknown stream are being deleted."""


class StreamChangedError(OrderstreamError):
    """The stream is not the one that the application's leases belong to.

    Args:
        application: The application.
        kept: The stream that the leases belong to.
        found: The stream that is there.
    """

    def __init__(self, application: str, kept: StreamIdentity, found: StreamIdentity) -> None:
        self.application = application
        self.kept = kept
        self.found = found
        super().__init__(
            f"the leases of {application} belong to {kept.arn}, created {kept.created_at}, and the stream is "
            f"now {found.arn}, created {found.created_at}: nothing is read, for the checkpoints are not of "
            "this stream; correct the stream's name or the region, or, if the new one is meant, stop every "
            f"worker of {application} and start one with --adopt-new-stream (in Python: "
            "adopt_new_stream=True), which deletes the leases"
        )


class StreamInUseError(OrderstreamError):
    """The leases cannot be deleted: workers still renew them.

    Args:
        application: The application.
        owner: One of these workers.
    """

    def __init__(self, application: str, owner: str) -> None:
        self.application = application
        self.owner = owner
        super().__init__(
            f"the leases of {application} are still renewed by {owner}; stop every worker of {application}, "
            "then start one with --adopt-new-stream (in Python: adopt_new_stream=True)"
        )


class ConsumedStream:
    """The stream of one application, as one of its workers sees it.

    Args:
        store: Where the identity is kept.
        application: The application.
        describe: Asks Kinesis what the stream is; see ``StreamIdentity.of``.
        expiry: Seconds without a renewal after which a lease has no owner.
        gone_timeout: Seconds without a stream after which ``confirm`` and ``watch`` give up; 0 means never.
        watch_interval: Seconds between two looks of ``watch``.
        clock: Monotonic seconds.

    Attributes:
        trouble: Why the stream could not be confirmed the last time; None if it could.
    """

    def __init__(
        self,
        store: Store,
        application: str,
        describe: Callable[[], StreamIdentity],
        *,
        expiry: float,
        gone_timeout: float = 0.0,
        watch_interval: float = 60.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._application = application
        self._describe = describe
        self._expiry = expiry
        self._gone_timeout = gone_timeout
        self._watch_interval = watch_interval
        self._clock = clock
        self._gone_since: float | None = None
        self.trouble: str | None = None
        self._confirmed: StreamIdentity | None = None

    def confirm(self, stop: StopSignal) -> bool:
        """See that the stream is the one that the leases belong to; outages are waited out.

        Args:
            stop: Ends the wait.

        Returns:
            False if we had to stop before.

        Raises:
            StreamChangedError: It is another one.
            StreamGoneError: It does not exist, for longer than the time-out.
        """
        while not stop.is_set():
            if self._look():
                return True
            stop.wait(_RETRY_PAUSE)
        return False

    @property
    def confirmed(self) -> StreamIdentity:
        """The stream, once ``confirm`` has found it."""
        if self._confirmed is None:
            raise RuntimeError("the stream has not been confirmed yet, so no lease can be said to be its own")
        return self._confirmed

    def demand_noted(self) -> None:
        """See that the stream that was confirmed is still the one that is noted.

        Raises:
            StreamChangedError: Another one was adopted since.
            DependencyError: The store could not be reached.
        """
        item = self._item()
        noted = _UNKNOWN if item is None else StreamIdentity.noted(item)
        if noted != self.confirmed:
            raise StreamChangedError(self._application, self.confirmed, noted)

    def watch(self, stop: StopSignal) -> None:
        """Look again and again until the signal is set; raises as ``confirm`` does."""
        pause = self._watch_interval
        while not stop.wait(pause):
            pause = self._watch_interval if self._look() else _RETRY_PAUSE

    def adopt(self, leases: LeaseTable, stop: StopSignal) -> bool:
        """Make the stream that is there the application's own, and delete its leases.

        Nothing is done where the leases belong to that stream already. Where it has not been noted yet which
        stream they belong to, they belong to none. A crash in between leaves the old identity, or none that
        any stream has, so that the next start refuses again.

        Args:
            leases: The application's leases.
            stop: Ends the wait.

        Returns:
            False if we had to stop before.

        Raises:
            StreamInUseError: Workers still renew the leases.
            OrderstreamError: Kinesis, the store or the leases could not be reached.
        """
        found, item = self._describe(), self._item()
        if item is not None and StreamIdentity.noted(item) == found:
            return True
        leases.create_table()
        before = {lease.lease_key: lease for lease in leases.list_leases()}
        if item is None:
            if not before:
                return True
            self._keep(_UNKNOWN, None)
        if any(lease.lease_owner is not None for lease in before.values()) and stop.wait(self._expiry):
            return False
        item = self._item()
        if item is None or StreamIdentity.noted(item) == found:
            return True  # another worker was quicker
        former = leases.list_leases()
        for lease in former:
            _demand_still(self._application, before.get(lease.lease_key), lease)
        for lease in former:
            # One that is left would say of the new stream's shard what is true of the former one's.
            if not leases.delete(lease):
                raise StreamInUseError(self._application, "a worker that has just written one")
            logger.warning("lease of the former stream deleted", extra={"shard_id": lease.lease_key})
        self._keep(found, item.version)
        return True

    def _look(self) -> bool:
        try:
            found, item = self._describe(), self._item()
            self._gone_since = self.trouble = None
            if item is None:
                if not self._keep(found, None):
                    return False
                self._confirmed = found
                return True
        except StreamGoneError as error:
            self.trouble, now = str(error), self._clock()
            self._gone_since = now if self._gone_since is None else self._gone_since
            if self._gone_timeout and now - self._gone_since >= self._gone_timeout:
                raise
            logger.warning("stream does not exist", extra={"error": error})
            return False
        except DependencyError as error:
            self.trouble = str(error)
            logger.warning("stream not looked at", extra={"error": error})
            return False
        if StreamIdentity.noted(item) != found:
            raise StreamChangedError(self._application, StreamIdentity.noted(item), found)
        self._confirmed = found
        return True

    def _item(self) -> Item | None:
        return self._store.get(CONSUMED_STREAMS.name, self._application)

    def _keep(self, identity: StreamIdentity, version: int | None) -> bool:
        attributes = {"arn": identity.arn, "created_at": identity.created_at}
        put = Put(CONSUMED_STREAMS.name, self._application, attributes, expected_version=version)
        try:
            self._store.transact([put])
        except (ConditionFailedError, ContentionError):
            return False  # another worker was quicker: look at what it wrote
        logger.info("stream of the application noted", extra=attributes)
        return True


def _demand_still(application: str, before: Lease | None, lease: Lease) -> None:
    if lease.lease_owner is not None and (before is None or before.lease_counter != lease.lease_counter):
        raise StreamInUseError(application, lease.lease_owner)
