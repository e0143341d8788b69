"""What becomes of a record that fails by itself: parked, handed over, or the end of the consumer."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from orderstream.aws import aws_calls, required
from orderstream.configuration import ConfigError
from orderstream_consumer.consumer.errors import RecordFailedError
from orderstream_consumer.processing.errors import ShardGivenUpError
from orderstream_consumer.processing.record import DeliveredRecord

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

FailureHandler = Callable[[DeliveredRecord, str], Any]
"""Takes a record that failed, and the reason; a function or a coroutine function.

Once it returns, the record counts as done. While it raises, it is called again, and the shard waits.
"""

OnFailure = str | FailureHandler
"""What becomes of such a record: ``"park"``, ``"stop"``, the URL of an SQS queue, or a callable."""

PARK: Final = "park"
STOP: Final = "stop"


def checked(on_failure: object) -> None:
    """See that this is a possible ``on_failure``.

    Raises:
        ConfigError: It is not.
    """
    if callable(on_failure) or on_failure in (PARK, STOP) or is_queue(on_failure):
        return
    allowed = "'park', 'stop', the URL of an SQS queue, or a callable that takes a record and a reason"
    raise ConfigError("on_failure", on_failure, allowed)


def is_queue(on_failure: object) -> bool:
    """Whether this is the URL of a queue."""
    return isinstance(on_failure, str) and on_failure.startswith(("https://", "http://"))


class NothingParked:
    """Implements ``Parking`` where no key is ever parked; ``park`` is what the others add."""

    def load(self) -> None:
        """See ``Parking.load``: there is nothing to read."""

    def is_parked(self, partition_key: str) -> bool:  # noqa: ARG002 - the protocol's
        """See ``Parking.is_parked``."""
        return False

    def append(self, record: DeliveredRecord) -> bool:  # noqa: ARG002 - the protocol's
        """See ``Parking.append``."""
        return False

    def count(self) -> int:
        """See ``Parking.count``."""
        return 0


class StoppingParking(NothingParked):
    """Ends the consumer at the first record that fails; no checkpoint passes it.

    Args:
        failed: Called with it, to end the consumer.
    """

    def __init__(self, failed: Callable[[RecordFailedError], object]) -> None:
        self._failed = failed

    def park(self, record: DeliveredRecord, reason: str) -> None:
        """Give the shard up.

        Raises:
            ShardGivenUpError: Always.
        """
        self._failed(RecordFailedError(record, reason))
        raise ShardGivenUpError(record.shard_id, f"a record fails and the consumer stops at it: {reason}")


class HandingOverParking(NothingParked):
    """Hands records that fail to a handler of the application; the later ones of their keys go on.

    Args:
        take: Takes a record and the reason; raises until it has it.
    """

    def __init__(self, take: FailureHandler) -> None:
        self._take = take

    def park(self, record: DeliveredRecord, reason: str) -> None:
        """Hand it over. Whatever is raised means: not yet."""
        self._take(record, reason)


class QueueHandOver:
    """Sends records that fail to an SQS queue, as JSON.

    The body has ``stream``, ``shard_id``, ``sequence_number``, ``subsequence_number``, ``partition_key``,
    ``explicit_hash_key`` (a number as text, or null), ``approximate_arrival`` (ISO 8601), ``data`` (base64)
    and ``reason``. In a FIFO queue the records of a key keep their order, and a repetition within five
    minutes is dropped. A record that is too large for the queue stays where it is, and its shard with it.

    Args:
        client: A boto3 SQS client.
        queue_url: The queue.
        stream: The stream's name.
    """

    def __init__(self, client: "SQSClient", queue_url: str, stream: str) -> None:
        self._client = client
        self._queue_url = queue_url
        self._stream = stream

    def __call__(self, record: DeliveredRecord, reason: str) -> None:
        """Send one record.

        Raises:
            DependencyError: SQS did not take it.
            RequestInvalidError: SQS can never take it.
        """
        hash_key = record.explicit_hash_key
        body = {
            "stream": self._stream,
            **record.position_fields(),
            "partition_key": record.partition_key,
            "explicit_hash_key": None if hash_key is None else str(hash_key),
            "approximate_arrival": record.approximate_arrival.isoformat(),
            "data": base64.b64encode(record.data).decode(),
            "reason": reason,
        }
        request: dict[str, Any] = {"QueueUrl": self._queue_url, "MessageBody": json.dumps(body)}
        if self._queue_url.endswith(".fifo"):
            # Digests: a partition key may have characters, and a length, that SQS does not take here.
            request["MessageGroupId"] = _digest(record.partition_key)
            request["MessageDeduplicationId"] = _digest(f"{self._stream}/{record.shard_id}/{record.position}")
        with aws_calls("sqs", "SendMessage", client=self._client, resource=self._queue_url):
            required(self._client.send_message(**request), "MessageId", str)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
