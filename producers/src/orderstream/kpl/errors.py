"""What can go wrong between ``put`` and the acknowledgement, one class each."""

from typing import ClassVar

from orderstream.errors import OrderstreamError
from orderstream.kpl.outcome import Attempt


class ConfigError(OrderstreamError):
    """A configuration value is out of range.

    Args:
        field: The field's name.
        value: What it was set to.
        allowed: What it may be, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{field}={value!r} is not possible: set it to {allowed}")


class RecordInvalidError(OrderstreamError):
    """Kinesis could never take this record.

    Args:
        field: The offending argument of ``put``.
        allowed: What it may be, in words.
    """

    def __init__(self, field: str, allowed: str) -> None:
        self.field = field
        self.allowed = allowed
        super().__init__(f"the record's {field} is not possible: it must be {allowed}")


class RecordTooLargeError(OrderstreamError):
    """A record is over the stream's limit for one record.

    Args:
        size: Payload and partition key together, in bytes.
        limit: What ``ProducerConfig.record_max_bytes`` allows, in bytes.
    """

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"a record of {size} bytes is over the limit of {limit}: store the payload elsewhere and put a "
            "reference to it, or raise the stream's record size and record_max_bytes"
        )


class BufferFullError(OrderstreamError):
    """The producer holds as many unsettled bytes as it may.

    Args:
        size: What the record would have added, in bytes.
        limit: ``ProducerConfig.buffered_bytes``.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, size: int, limit: int) -> None:
        self.size = size
        self.limit = limit
        super().__init__(
            f"no room for {size} bytes in a buffer of {limit}: slow down and put the record again, "
            'or use when_full="block"'
        )


class WaitInCallbackError(OrderstreamError):
    """A delivery callback asked for something that only the thread it runs in could bring about.

    Args:
        operation: What it called.
    """

    def __init__(self, operation: str) -> None:
        self.operation = operation
        super().__init__(
            f"{operation}() would wait for the very thread that runs this delivery callback: "
            "hand it to a thread of your own"
        )


class ForkedProducerError(OrderstreamError):
    """A producer was used in a process that was forked after it was made; its threads stayed behind.

    The records that were under way are the parent's, which goes on sending them.
    """

    def __init__(self) -> None:
        super().__init__(
            "this producer belongs to the parent process: make a new one in each process, after the fork "
            "(gunicorn: in post_fork; multiprocessing: in the worker's initializer)"
        )


class ProducerClosedError(OrderstreamError):
    """A record was put into a producer that is closed or closing."""

    def __init__(self) -> None:
        super().__init__("the producer is closed: open a new one to put records")


class DeliveryFailedError(OrderstreamError):
    """A record was given up; Kinesis never acknowledged it, though it may have taken it.

    Args:
        reason: Why it was given up.
        attempts: The most recent attempts to send it, oldest first; empty if it never left.
    """

    def __init__(self, reason: str, attempts: tuple[Attempt, ...] = ()) -> None:
        self.reason = reason
        self.attempts = attempts
        super().__init__(
            f"the record was not delivered: {reason}; mend the cause, then put it again under the same id"
        )


class UnsentRecordsError(OrderstreamError):
    """A producer was left at the end of its ``with`` block while records were unacknowledged.

    Args:
        count: How many records.
        timeout: How long it had waited for them, in seconds.
    """

    def __init__(self, count: int, timeout: float) -> None:
        self.count = count
        self.timeout = timeout
        super().__init__(
            f"{count} records were not acknowledged within {timeout} s of closing: "
            "call close(timeout) yourself to get them back, or raise close_timeout"
        )


class UnclosedProducerWarning(RuntimeWarning):
    """The interpreter exits and a producer was never closed; it was flushed, for a few seconds at most.

    Args:
        stream: The producer's stream.
        lost: How many records were not acknowledged by then.
    """

    def __init__(self, stream: str, lost: int) -> None:
        self.stream = stream
        self.lost = lost
        super().__init__(
            f"the producer of {stream} was flushed at exit because nobody had closed it, and {lost} records "
            "were lost: use it in a with block, or call close()"
        )
