"""What can go wrong between a handler and its stream, one class each."""

from orderstream.errors import OrderstreamError
from orderstream_consumer.processing.record import DeliveredRecord


class HandlerNotImportableError(OrderstreamError):
    """KCL starts a process for each shard, and that process cannot import the handler.

    Args:
        what: Which function is meant, e.g. ``"handler"``.
        found: What it is.
        reason: Why a new process cannot import it.
    """

    def __init__(self, what: str, found: str, reason: str) -> None:
        self.what = what
        self.found = found
        self.reason = reason
        super().__init__(
            f"{what} {found} cannot be imported by the processes that KCL starts for shards: {reason}; "
            "define it at the top of a module, and pass it or its name, 'module:function'"
        )


class OtherStreamError(OrderstreamError):
    """The client reaches a stream of the right name that is another one than the ARN says.

    Args:
        wanted: The ARN that was given.
        found: The ARN of the stream that the client reaches.
    """

    def __init__(self, wanted: str, found: str) -> None:
        self.wanted = wanted
        self.found = found
        super().__init__(
            f"the client reaches {found}, not {wanted}: use credentials of that account and a client of that "
            "region, or correct the ARN"
        )


class RecordFailedError(OrderstreamError):
    """A record failed by itself, and the consumer stops at it: ``on_failure="stop"``.

    No checkpoint passes the record. Once the cause is fixed, the next start begins with it.

    Args:
        record: The record.
        reason: Why it failed the last time.
    """

    def __init__(self, record: DeliveredRecord, reason: str) -> None:
        self.record = record
        self.reason = reason
        super().__init__(
            f"stopped at record {record.position} of key "
            f"{record.partition_key} on {record.shard_id}: {reason}; fix the cause and start again, it is "
            'the first record then, or set on_failure="park"'
        )


class ConsumerStateError(OrderstreamError):
    """A consumer was asked for something at the wrong moment of its life.

    Args:
        asked: What was asked for.
        remedy: What to do instead.
    """

    def __init__(self, asked: str, remedy: str) -> None:
        self.asked = asked
        self.remedy = remedy
        super().__init__(f"{asked} is not possible now: {remedy}")


class ConsumerNotReadyError(OrderstreamError, TimeoutError):
    """A consumer is not ready in time; it goes on trying.

    Args:
        timeout: How long was waited, in seconds.
        reason: What keeps it from being ready.
    """

    retryable = True

    def __init__(self, timeout: float, reason: str) -> None:
        self.timeout = timeout
        self.reason = reason
        super().__init__(f"not ready within {timeout} s: {reason}; wait again, or stop the consumer")


class ConsumerDrainingError(OrderstreamError, TimeoutError):
    """A consumer has not drained in time; it goes on draining: call ``stop`` again.

    Args:
        timeout: How long was waited, in seconds.
    """

    retryable = True

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(f"not drained within {timeout} s, a handler may still be at work; call stop() again")
