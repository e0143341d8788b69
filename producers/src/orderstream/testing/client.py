"""A stand-in for the boto3 Kinesis client: the same methods, answers and exceptions, without a network."""

import datetime as dt
import uuid
from collections.abc import Callable
from functools import cached_property
from typing import Any, Final, NoReturn

from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from orderstream.testing.core import Outcome
from orderstream.testing.errors import KinesisError
from orderstream.testing.faults import Fault

_ENDPOINT: Final = "https://kinesis.fake"
_TIMES: Final = {"StreamCreationTimestamp", "ApproximateArrivalTimestamp"}


class FakeKinesisClient:
    """What ``FakeKinesis.client()`` gives: ``put_records``, ``get_records``, ``list_shards`` and so on.

    Safe to use from many threads, as boto3's is.

    Args:
        call: Carries out an operation by its API name.
    """

    def __init__(self, call: Callable[[str, dict[str, Any]], Outcome]) -> None:
        self._call = call

    def __getattr__(self, name: str) -> Callable[..., dict[str, Any]]:
        """Make the method of an operation."""
        if name.startswith("_"):
            raise AttributeError(name)
        operation = "".join(word.capitalize() for word in name.split("_"))

        def method(**request: Any) -> dict[str, Any]:
            return self._carry_out(operation, request)

        method.__name__ = name
        return method

    @cached_property
    def exceptions(self) -> "FakeExceptions":
        """The exceptions by name, to catch them as with boto3."""
        return FakeExceptions()

    def close(self) -> None:
        """There is nothing to close."""

    def _carry_out(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        try:
            outcome = self._call(operation, _plain(request))
        except KinesisError as error:
            raise _client_error(operation, error) from error
        if outcome.lost is not None:
            _lose(outcome.lost)
        return {**_rich(outcome.answer), "ResponseMetadata": _metadata(200)}


class FakeExceptions:
    """Exception classes by the names of Kinesis' errors; each is made once."""

    def __getattr__(self, name: str) -> type[ClientError]:
        """The exception of a name."""
        if name == "ClientError":
            return ClientError
        if name.startswith("_"):
            raise AttributeError(name)
        return _exception(name)


_EXCEPTIONS: dict[str, type[ClientError]] = {}


def _exception(name: str) -> type[ClientError]:
    return _EXCEPTIONS.setdefault(name, type(name, (ClientError,), {}))


def _client_error(operation: str, error: KinesisError) -> ClientError:
    response: Any = {
        "Error": {"Code": error.code, "Message": error.message},
        "ResponseMetadata": _metadata(error.status),
        "message": error.message,
    }
    return _exception(error.code)(response, operation)


def _lose(fault: Fault) -> NoReturn:
    if fault.code == "ReadTimeoutError":
        raise ReadTimeoutError(endpoint_url=_ENDPOINT)
    raise ConnectionClosedError(endpoint_url=_ENDPOINT)


def _metadata(status: int) -> dict[str, Any]:
    return {
        "RequestId": str(uuid.uuid4()),
        "HTTPStatusCode": status,
        "HTTPHeaders": {},
        "RetryAttempts": 0,
    }


def _plain(value: Any, name: str = "") -> Any:
    """Times to seconds since the epoch and payloads to bytes, at any depth."""
    match value:
        case dict():
            return {name: _plain(one, name) for name, one in value.items()}
        case list() | tuple():
            return [_plain(one) for one in value]
        case dt.datetime():
            return value.timestamp()
        case bytearray() | memoryview():
            return bytes(value)
        case str() if name == "Data":
            return value.encode()
        case _:
            return value


def _rich(answer: Any, name: str = "") -> Any:
    """Seconds since the epoch to times, at any depth."""
    match answer:
        case dict():
            return {member: _rich(value, member) for member, value in answer.items()}
        case list():
            return [_rich(one) for one in answer]
        case _ if name in _TIMES:
            return dt.datetime.fromtimestamp(answer, dt.UTC)
        case _:
            return answer
