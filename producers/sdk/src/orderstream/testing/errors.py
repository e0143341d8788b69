"""The errors of Kinesis, under its own names and HTTP statuses."""

from collections.abc import Sequence
from typing import Final

from orderstream.errors import OrderstreamError

_SHOWN: Final = 256
"""Characters of a value in a message."""
_SERVER_ERRORS = {"InternalFailure": 500, "InternalFailureException": 500, "ServiceUnavailable": 503}


def status_of(code: str) -> int:
    """HTTP status of an error code: 500 or 503 for faults of the service, else 400."""
    return _SERVER_ERRORS.get(code, 400)


class KinesisError(OrderstreamError):
    """The fake's response instead of a result.

    Args:
        code: The error's name in Kinesis' API, e.g. ``"ResourceNotFoundException"``.
        message: What it says.
        status: HTTP status; by default the one that goes with the code.
    """

    def __init__(self, code: str, message: str, status: int | None = None) -> None:
        self.code = code
        self.message = message
        self.status = status_of(code) if status is None else status
        super().__init__(f"{code}: {message}")


def invalid_argument(message: str) -> KinesisError:
    """A parameter is outside what the operation accepts."""
    return KinesisError("InvalidArgumentException", message)


def validation(member: str, value: object, constraint: str) -> KinesisError:
    """A parameter breaks a constraint of the service model."""
    return validations([(member, value, constraint)])


def validations(violations: Sequence[tuple[str, object, str]]) -> KinesisError:
    """Parameters break constraints: each with its member, its value, and what it must be."""
    found = [
        f"Value {_shown(value)} at '{member}' failed to satisfy constraint: Member must {constraint}"
        for member, value, constraint in violations
    ]
    count = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return KinesisError("ValidationException", f"{count}: {'; '.join(found)}")


def unsupported(what: str) -> KinesisError:
    """The fake does not have what Kinesis has; nothing is ever ignored in silence."""
    return invalid_argument(f"{what} is not supported by this fake.")


def _shown(value: object) -> str:
    if value is None:
        return "null"
    text = str(value)
    return f"'{text}'" if len(text) <= _SHOWN else f"'{text[:_SHOWN]}...'"


def stream_not_found(name: str, account: str) -> KinesisError:
    """No such stream, or it is still being created."""
    return KinesisError("ResourceNotFoundException", f"Stream {name} under account {account} not found.")


def shard_not_found(shard_id: str, stream: str, account: str) -> KinesisError:
    """No such shard, or its records are past retention."""
    return KinesisError(
        "ResourceNotFoundException",
        f"Could not find shard {shard_id} in stream {stream} under account {account}.",
    )


def throttled(shard_id: str, stream: str, account: str) -> KinesisError:
    """A shard's limit per second is spent."""
    return KinesisError(
        "ProvisionedThroughputExceededException",
        f"Rate exceeded for shard {shard_id} in stream {stream} under account {account}.",
    )
