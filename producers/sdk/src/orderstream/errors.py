"""The one tree of errors: each says whether a retry can help, carries its fields, and says what to do."""

from typing import ClassVar


class OrderstreamError(Exception):
    """Root of every error that Orderstream raises on purpose.

    Attributes:
        retryable: True if the same call may succeed later without any change by the caller.
    """

    retryable: ClassVar[bool] = False


class DependencyError(OrderstreamError):
    """Something we depend on (Kinesis, DynamoDB, an HTTP API) is throttling, failing or out of reach.

    It says nothing about the record at hand: wait and try again, however often it takes.

    Args:
        dependency: What failed, e.g. ``"dynamodb"``.
        operation: What was asked of it, e.g. ``"TransactWriteItems"``.
        reason: What it responded.
        code: The service's error code, or a substitute for it; empty if there is none.
        resource: What was asked about, e.g. a table's name; empty if unknown.
        region: The AWS region; empty if unknown.
        endpoint: The URL that was called; empty if unknown.
        advice: What a person can do about it; empty if there is nothing but to wait.
    """

    retryable = True

    def __init__(
        self,
        dependency: str,
        operation: str,
        reason: str,
        *,
        code: str = "",
        resource: str = "",
        region: str = "",
        endpoint: str = "",
        advice: str = "",
    ) -> None:
        self.dependency = dependency
        self.operation = operation
        self.reason = reason
        self.code = code
        self.resource = resource
        self.region = region
        self.endpoint = endpoint
        self.advice = advice
        about = f" for {resource}" if resource else ""
        location = ", ".join(part for part in (region, endpoint) if part)
        where = f" ({location})" if location else ""
        todo = f"; {advice}" if advice else ""
        super().__init__(
            f"{dependency} did not complete {operation}{about}{where}: {reason}{todo}; it will be tried again"
        )


class RequestInvalidError(OrderstreamError, ValueError):
    """A service can never carry out this request: the request or its data is at fault.

    Args:
        dependency: The service, e.g. ``"dynamodb"``.
        operation: What was asked of it.
        reason: What is wrong with the request.
    """

    def __init__(self, dependency: str, operation: str, reason: str) -> None:
        self.dependency = dependency
        self.operation = operation
        self.reason = reason
        super().__init__(f"{dependency} can never carry out this {operation}: {reason}; correct the request")


class AwsSettingsError(OrderstreamError):
    """There is no region or there are no credentials to call AWS with.

    Args:
        missing: What cannot be found, in words.
        remedy: What to set.
    """

    def __init__(self, missing: str, remedy: str) -> None:
        self.missing = missing
        self.remedy = remedy
        super().__init__(f"{missing}: {remedy}")


class MissingExtraError(OrderstreamError):
    """A feature needs an optional dependency that is not installed.

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
