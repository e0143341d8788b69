"""The fake in the process: a stand-in for the boto3 Kinesis client."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import cache, partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import botocore.exceptions
from botocore import xform_name
from botocore.errorfactory import ClientExceptionsFactory
from botocore.loaders import Loader
from botocore.model import ServiceModel
from botocore.paginate import Paginator, PaginatorModel
from botocore.validate import ParamValidator

from orderstream.testing.account import Account, Response
from orderstream.testing.core import OPERATIONS, Answer, KinesisCore
from orderstream.testing.faults import Faults
from orderstream.testing.limits import Limits
from orderstream.testing.shard import Shard, StoredRecord
from orderstream.testing.stream import Stream

if TYPE_CHECKING:
    from mypy_boto3_kinesis.client import KinesisClient

_NAMES = {xform_name(operation): operation for operation in OPERATIONS}
_TIMES = frozenset({"ApproximateArrivalTimestamp", "StreamCreationTimestamp", "Timestamp"})


class FakeKinesis:
    """A Kinesis in the process.

    ::

        kinesis = FakeKinesis()
        kinesis.create_stream("orders", shards=4)
        kinesis.faults.add(Fault(operation="PutRecords", error="InternalFailure", times=3))
        client = kinesis.client()  # use it like boto3.client("kinesis")

    Thread-safe by one lock.

    Args:
        clock: Seconds since the epoch.
        limits: What shards carry; ``Limits(throttling=False)`` for no limits per second.
        transition_seconds: How long a stream stays CREATING, UPDATING or DELETING; default 0, not at all.
        seed: Seed of the faults' random rates.
        sleep: Waits out added latency, in seconds.

    Attributes:
        faults: The faults that are armed.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float] = time.time,
        limits: Limits | None = None,
        transition_seconds: float = 0.0,
        seed: int = 0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.faults = Faults(seed)
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        account = Account(limits=limits or Limits(), transition_seconds=transition_seconds)
        self._core = KinesisCore(account, self.faults)

    def client(self) -> "KinesisClient":
        """A client, used like the one that ``boto3.client("kinesis")`` returns."""
        return cast("KinesisClient", _Client(self))

    def call(self, operation: str, request: Mapping[str, Any]) -> Answer:
        """Take a call under its API name, as the shells do; delay and loss are theirs to play out."""
        with self._lock:
            return self._core.call(operation, request, self._clock())

    def wait(self, seconds: float) -> None:
        """Wait out a latency that was asked for."""
        if seconds > 0:
            self._sleep(seconds)

    def create_stream(self, name: str, shards: int = 1) -> None:
        """Create a stream, past all faults and counters.

        Raises:
            KinesisError: the name is taken or not allowed.
        """
        with self._lock:
            self._core.account.create(name, shards, self._clock())

    @property
    def calls(self) -> Counter[str]:
        """How often each operation was called, by API name."""
        with self._lock:
            return self._core.calls.copy()

    @property
    def errors(self) -> Counter[str]:
        """How often each error was answered, refused records included."""
        with self._lock:
            return self._core.errors.copy()

    def shards(self, stream: str) -> tuple[Shard, ...]:
        """The shards of a stream, open and closed, oldest first."""
        with self._lock:
            return tuple(self._stream(stream).shards.values())

    def records(self, stream: str, shard_id: str | None = None) -> list[StoredRecord]:
        """Everything that a shard or a whole stream holds, in the order of arrival, past all limits."""
        with self._lock:
            shards = self._stream(stream).shards
            wanted = shards.values() if shard_id is None else (shards[shard_id],)
            found = [record for shard in wanted for record in shard.read(0, len(shard), 1 << 62)]
        return sorted(found, key=lambda record: record.position)

    def _stream(self, name: str) -> Stream:
        return self._core.account.stream_named(name, self._clock())


class _Client:
    """Methods under boto3's names, with its checks, errors and types."""

    def __init__(self, kinesis: FakeKinesis) -> None:
        self._kinesis = kinesis
        self.meta = SimpleNamespace(service_model=_service_model(), region_name="us-east-1")
        self.exceptions = _exceptions()

    def __getattr__(self, name: str) -> Callable[..., Response]:
        operation = _NAMES.get(name)
        if operation is None:
            raise AttributeError(
                f"the fake Kinesis client has no {name!r}; it has {', '.join(sorted(_NAMES))}"
            )
        return partial(self._call, operation)

    def close(self) -> None:
        """Nothing is open."""

    def get_paginator(self, operation_name: str) -> Paginator:
        """boto3's own paginator over this client."""
        operation = _NAMES[operation_name]
        config = _paginators().get_paginator(operation)
        return Paginator(getattr(self, operation_name), config, _service_model().operation_model(operation))

    def _call(self, operation: str, /, **params: Any) -> Response:
        shape = _service_model().operation_model(operation).input_shape
        report = ParamValidator().validate(params, shape)
        if report.has_errors():
            raise botocore.exceptions.ParamValidationError(report=report.generate_report())
        answer = self._kinesis.call(operation, _to_wire(params))
        self._kinesis.wait(answer.delay)
        if answer.lost:
            lost = getattr(botocore.exceptions, answer.lost)
            raise lost(endpoint_url="https://kinesis.us-east-1.amazonaws.com/", error="the answer was lost")
        status = answer.error.status if answer.error else 200
        metadata = {"RequestId": "0", "HTTPStatusCode": status, "HTTPHeaders": {}, "RetryAttempts": 0}
        if answer.error:
            error = {"Code": answer.error.code, "Message": answer.error.message}
            raise self.exceptions.from_code(answer.error.code)(
                {"Error": error, "message": answer.error.message, "ResponseMetadata": metadata}, operation
            )
        return {**_from_wire(answer.body), "ResponseMetadata": metadata}


@cache
def _loader() -> Loader:
    return Loader(include_default_search_paths=True)


@cache
def _service_model() -> ServiceModel:
    return ServiceModel(_loader().load_service_model("kinesis", "service-2"), service_name="kinesis")


@cache
def _paginators() -> PaginatorModel:
    return PaginatorModel(_loader().load_service_model("kinesis", "paginators-1"))


@cache
def _exceptions() -> Any:
    return ClientExceptionsFactory().create_client_exceptions(_service_model())


def _to_wire(params: Mapping[str, Any]) -> dict[str, Any]:
    """Turn what boto3 takes into what the core takes: blobs as bytes, times as seconds."""
    request = dict(params)
    for member in _TIMES & request.keys():
        request[member] = _seconds(request[member])
    if "ShardFilter" in request:
        request["ShardFilter"] = _to_wire(request["ShardFilter"])
    if "Data" in request:
        request["Data"] = _blob(request["Data"])
    if "Records" in request:
        request["Records"] = [{**record, "Data": _blob(record["Data"])} for record in request["Records"]]
    return request


def _blob(value: Any) -> bytes:
    if isinstance(value, str):
        return value.encode()
    return bytes(value.read() if hasattr(value, "read") else value)


def _seconds(value: Any) -> float:
    if isinstance(value, datetime):
        return value.timestamp()
    if isinstance(value, str):
        return datetime.fromisoformat(value).timestamp()
    return float(value)


def _from_wire(value: Any) -> Any:
    """Turn an answer of the core into boto3's: times as datetimes."""
    if isinstance(value, dict):
        return {
            key: datetime.fromtimestamp(item, UTC) if key in _TIMES else _from_wire(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [_from_wire(item) for item in value]
    return value
