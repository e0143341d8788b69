"""The errors between ``put`` and the acknowledgement, one class each."""

from typing import ClassVar

from orderstream.errors import OrderstreamError
from orderstream.producer.outcome import Attempt


class RecordInvalidError(OrderstreamError):
    """Kinesis could never take this record.

    Args:
        field: The offending argument of ``put``.
        allowed: What it may be, in words.
        found: What it is instead, in words and without its content, which may be personal.
    """

    def __init__(self, field: str, allowed: str, found: str = "") -> None:
        self.field = field
        self.allowed = allowed
        self.found = found
        instead = f", not {found}" if found else ""
        super().__init__(f"the record's {field} is not possible: it must be {allowed}{instead}")


class StreamUnavailableError(OrderstreamError):
    """A check found that the stream cannot be used: it is missing, or we may not, or the settings are wrong.

    Args:
        target: Which stream, at which endpoint, in which region.
        code: Kinesis' error code, or the name of the connection's error.
        message: The explanation that came with it.
    """

    def __init__(self, target: str, code: str, message: str) -> None:
        self.target = target
        self.code = code
        self.message = message
        super().__init__(
            f"{target} cannot be used, {code}: {message}; check the stream's name, the region, the endpoint, "
            "and what the credentials allow"
        )


class StreamUnreachableError(StreamUnavailableError):
    """A check met an outage: Kinesis is out of reach, throttles, or does not know these credentials yet."""

    retryable: ClassVar[bool] = True


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
    """The producer's outstanding records have reached ``max_outstanding_bytes``.

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


class ForeignLoopError(OrderstreamError):
    """An AsyncProducer was used in two event loops: a record waits for room in one of them."""

    def __init__(self) -> None:
        super().__init__(
            "this AsyncProducer is used in another event loop: make one for each loop, or use a Producer, "
            "which any thread may share"
        )


class ProducerClosedError(OrderstreamError):
    """A record was put into a producer that is closed or closing."""

    def __init__(self) -> None:
        super().__init__("the producer is closed: open a new one to put records")


class DeliveryPendingError(OrderstreamError, TimeoutError):
    """The wait for a delivery is over, and its record is still on its way: wait again, or leave it.

    Args:
        timeout: How long was waited, in seconds.
        last_error: What the producer's calls meet at present; None if they succeed.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, timeout: float | None, last_error: str | None = None) -> None:
        self.timeout = timeout
        self.last_error = last_error
        cause = f"; the last error was {last_error}" if last_error else ""
        super().__init__(f"no outcome within {timeout} s; the record is still on its way{cause}")


class DeliveryFailedError(OrderstreamError):
    """A record was given up; Kinesis never acknowledged it, though it may have taken it.

    Args:
        reason: Why it was given up.
        attempts: The most recent attempts to send it, oldest first; empty if it never left.
    """

    def __init__(self, reason: str, attempts: tuple[Attempt, ...] = ()) -> None:
        self.reason = reason
        self.attempts = attempts
        super().__init__(f"the record was not delivered: {reason}; fix the cause, then put it again")


class UnsentRecordsError(OrderstreamError):
    """A producer was left at the end of its ``with`` block while records were unacknowledged.

    Args:
        count: How many records.
        timeout: How long it had waited for them, in seconds.
        last_error: What the producer's calls met at the end; None if they succeeded.
    """

    def __init__(self, count: int, timeout: float, last_error: str | None = None) -> None:
        self.count = count
        self.timeout = timeout
        self.last_error = last_error
        cause = f"; the last error was {last_error}" if last_error else ""
        super().__init__(
            f"{count} records were not acknowledged within {timeout} s of closing{cause}: "
            "call close(timeout) yourself to get them back, or raise close_timeout"
        )


class HeldUpError(OrderstreamError):
    """A producer cannot end: a delivery callback, an interceptor or a metrics hook does not return.

    Args:
        timeout: How long it was waited for, in seconds.
    """

    retryable: ClassVar[bool] = True

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        super().__init__(
            f"the producer's thread did not end within {timeout:.1f} s: a delivery callback, an "
            "interceptor or a metrics hook holds it up and must return at once; then call close() again"
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
            f"the producer of {stream} was flushed at exit because it had not been closed, and {lost} "
            "records were lost: use it in a with block, or call close()"
        )
