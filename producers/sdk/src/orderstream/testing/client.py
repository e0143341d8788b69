"""The boto3 client of the fake: botocore's own, whose calls do not leave the process."""

import datetime as dt
import threading
import uuid
from collections.abc import Callable, Iterator
from email.utils import formatdate
from functools import cache
from os import devnull
from typing import Any, Final, NoReturn

from botocore.client import BaseClient
from botocore.exceptions import ClientError, ConnectionClosedError, EventStreamError, ReadTimeoutError
from botocore.session import Session

from orderstream.testing.core import CallOutcome
from orderstream.testing.errors import KinesisError
from orderstream.testing.faults import Fault
from orderstream.testing.state.consumers import Subscription
from orderstream.testing.validation.parameters import as_sent

_ENDPOINT: Final = "https://kinesis.fake"
_TIMES: Final = frozenset(
    {"StreamCreationTimestamp", "ApproximateArrivalTimestamp", "ConsumerCreationTimestamp"}
)
_making = threading.Lock()


class FakeKinesisClient:
    """The client of ``FakeKinesis.client()``: ``put_records``, ``get_records``, ``list_shards`` and so on.

    Methods, waiters, paginators, ``exceptions``, ``meta`` and ``can_paginate`` are those of a botocore
    client; only its calls are carried out in the process. It makes one attempt of each call and emits no
    events.
    Safe to use from many threads, as boto3's is.

    Args:
        call: Carries out an operation by its API name.
        clock: Seconds since the epoch, for the ``Date`` of responses.
        region: The region's name.
        events: Gives what a subscription sends, and waits where it has nothing to send.
    """

    def __init__(
        self,
        call: Callable[[str, dict[str, Any]], CallOutcome],
        clock: Callable[[], float],
        region: str,
        events: Callable[[Subscription], Iterator[dict[str, Any]]],
    ) -> None:
        self._call = call
        self._events = events
        self._clock = clock
        self._botocore = _botocore_client(region)
        # Every method that botocore has made of the model ends here, those that its waiters and paginators
        # call among them.
        vars(self._botocore)["_make_api_call"] = self._carry_out

    def __getattr__(self, name: str) -> Any:
        """Whatever a boto3 client has."""
        if name.startswith("_"):
            raise AttributeError(name)
        return getattr(self._botocore, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *dir(self._botocore)})

    def close(self) -> None:
        """There is nothing to close."""

    def _carry_out(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        request = as_sent(operation, parameters)
        try:
            outcome = self._call(operation, request)
        except KinesisError as error:
            raise self._client_error(operation, error) from error
        if outcome.lost is not None:
            _lose(outcome.lost)
        response = _rich(outcome.response)
        if isinstance(subscription := response.get("EventStream"), Subscription):
            response["EventStream"] = EventStream(self._events(subscription), operation)
        return {**response, "ResponseMetadata": self._metadata(200)}

    def _client_error(self, operation: str, error: KinesisError) -> ClientError:
        response: Any = {
            "Error": {"Code": error.code, "Message": error.message},
            "ResponseMetadata": self._metadata(error.status),
            "message": error.message,
        }
        raised: Any = self._botocore.exceptions.from_code(error.code)
        made: ClientError = raised(response, operation)
        return made

    def _metadata(self, status: int) -> dict[str, Any]:
        return {
            "RequestId": str(uuid.uuid4()),
            "HTTPStatusCode": status,
            "HTTPHeaders": {"date": formatdate(self._clock(), usegmt=True)},
            "RetryAttempts": 0,
        }


class EventStream:
    """What a subscription sends, as botocore's class of this name gives it.

    Args:
        events: What is sent.
        operation: The operation that it responds to.
    """

    def __init__(self, events: Iterator[dict[str, Any]], operation: str) -> None:
        self._events = events
        self._operation = operation
        self._closed = False

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Give each event.

        Raises:
            EventStreamError: it ends with an exception.
        """
        try:
            for event in self._events:
                if self._closed:
                    return
                yield {"SubscribeToShardEvent": _rich(event)}
        except KinesisError as error:
            told: Any = {"Error": {"Code": error.code, "Message": error.message}}
            raise EventStreamError(told, self._operation) from error

    def close(self) -> None:
        """Give no more events."""
        self._closed = True


@cache
def _session() -> Session:
    """A session that knows nothing of the machine: neither profiles nor files can disturb a test."""
    nowhere: dict[str, Any] = {
        "profile": (None, None, None, None),
        "config_file": (None, None, devnull, None),
        "credentials_file": (None, None, devnull, None),
    }
    return Session(session_vars=nowhere)


@cache
def _prototype(region: str) -> BaseClient:
    """The client that all others of a region are copies of: botocore takes 15 ms to make one."""
    client: BaseClient = _session().create_client(
        "kinesis",
        region_name=region,
        endpoint_url=_ENDPOINT,
        aws_access_key_id="fake",
        aws_secret_access_key="fake",  # noqa: S106 - signs nothing
    )
    return client


def _botocore_client(region: str) -> BaseClient:
    with _making:  # sessions are not made for many threads
        prototype = _prototype(region)
    # By hand: ``copy`` asks an empty client for its ``__setstate__``, and botocore recurses without end.
    client: BaseClient = object.__new__(type(prototype))
    vars(client).update(vars(prototype))
    return client


def _lose(fault: Fault) -> NoReturn:
    if fault.code == "ReadTimeoutError":
        raise ReadTimeoutError(endpoint_url=_ENDPOINT)
    raise ConnectionClosedError(endpoint_url=_ENDPOINT)


def _rich(response: Any, name: str = "") -> Any:
    """Seconds since the epoch to times, at any depth."""
    match response:
        case dict():
            return {member: _rich(value, member) for member, value in response.items()}
        case list():
            return [_rich(one) for one in response]
        case _ if name in _TIMES:
            return dt.datetime.fromtimestamp(response, dt.UTC)
        case _:
            return response
