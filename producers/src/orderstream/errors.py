"""The one tree of errors: each says whether a retry can help, carries its fields, and tells what to do."""

from typing import ClassVar


class OrderstreamError(Exception):
    """Root of every error that Orderstream raises on purpose.

    Attributes:
        retryable: True if the same call may succeed later without any change by the caller.
    """

    retryable: ClassVar[bool] = False


class DependencyError(OrderstreamError):
    """Something we depend on (Kinesis, DynamoDB, an HTTP API) is throttling, failing or out of reach.

    It says nothing about the record at hand: wait and try again, for ever if need be.

    Args:
        dependency: What failed, e.g. ``"dynamodb"``.
        operation: What was asked of it, e.g. ``"TransactWriteItems"``.
        reason: What it answered.
    """

    retryable = True

    def __init__(self, dependency: str, operation: str, reason: str) -> None:
        self.dependency = dependency
        self.operation = operation
        self.reason = reason
        super().__init__(f"{dependency} did not complete {operation}: {reason}; it will be tried again")


class MissingExtraError(OrderstreamError):
    """Something was asked for that needs an optional dependency, and it is not installed.

    Args:
        extra: The extra of the distribution ``orderstream``.
        purpose: What needs it.
    """

    def __init__(self, extra: str, purpose: str) -> None:
        self.extra = extra
        self.purpose = purpose
        super().__init__(
            f"{purpose} need what is not installed here: install orderstream with its extra {extra!r}, "
            f"'orderstream[{extra}]', from where orderstream itself came"
        )
