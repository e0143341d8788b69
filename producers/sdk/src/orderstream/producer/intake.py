"""What ``put`` does to a record before the owner thread gets it: hooks, checks, the delivery handle."""

from collections.abc import Iterable, Iterator
from typing import Final

from orderstream.aggregation.codec import MAGIC
from orderstream.aggregation.user_record import MAX_HASH_KEY, MAX_PARTITION_KEY, UserRecord
from orderstream.producer.config import ProducerConfig
from orderstream.producer.errors import RecordInvalidError, RecordTooLargeError
from orderstream.producer.hooks import Interceptor, Partitioner
from orderstream.producer.tracking.origin import Origin
from orderstream.producer.tracking.tracked import TrackedRecord

WRAPPING: Final = 128
"""What an aggregate around one record takes beside its payload and key, in bytes: at most 93."""

RUN_BYTES: Final = 65_536
"""``put_many`` hands records over at one moment as soon as they reach this size together, in bytes."""

Puttable = tuple[bytes, str] | tuple[bytes, str, int | None] | UserRecord
"""What ``put_many`` takes: payload, partition key and perhaps explicit hash key, or a record handed back."""


class Intake:
    """Makes deliveries of what an application puts.

    Args:
        config: The settings.
        partitioner: Chooses explicit hash keys for records that are put without one.
        interceptors: Exchange records, in this order.
        origin: The producer.
    """

    def __init__(
        self,
        config: ProducerConfig,
        partitioner: Partitioner | None,
        interceptors: tuple[Interceptor, ...],
        origin: Origin,
    ) -> None:
        self._partitioner = partitioner
        self._interceptors = interceptors
        self._hooked = bool(interceptors or partitioner)
        self._origin = origin
        self._most = config.record_max_bytes
        self._most_to_wrap = config.record_max_bytes - WRAPPING

    def prepare(self, data: bytes, partition_key: str, explicit_hash_key: int | None = None) -> TrackedRecord:
        """Run the hooks, check the record and make its handle.

        Raises:
            RecordTooLargeError: Payload and key are over ``record_max_bytes``, or are an aggregate that would
                be so with another around it.
            RecordInvalidError: Kinesis could not take data, key or hash key.
        """
        if self._hooked:
            partition_key, data, explicit_hash_key = self._through_hooks(
                partition_key, data, explicit_hash_key
            )
        if (
            type(data) is bytes
            and type(partition_key) is str
            and explicit_hash_key is None
            and partition_key.isascii()
            and 0 < len(partition_key) <= MAX_PARTITION_KEY
        ):
            # Nearly every record, spared the questions below.
            size = len(data) + len(partition_key)
        else:
            size = _checked_size(data, partition_key, explicit_hash_key)
        if size > self._most_to_wrap and (size > self._most or data.startswith(MAGIC)):
            raise RecordTooLargeError(size, self._most)
        return TrackedRecord(partition_key, data, explicit_hash_key, size, self._origin)

    def prepare_many(self, records: Iterable[Puttable]) -> Iterator[tuple[list[TrackedRecord], int]]:
        """Prepare records, and give those out that are to be handed over at one moment, with their size.

        Raises:
            OrderstreamError: As ``prepare`` does; the records before the offending one were given out.
        """
        run: list[TrackedRecord] = []
        size = 0
        usual, origin = not self._hooked, self._origin
        prepare, most = self.prepare, self._most_to_wrap
        try:
            for record in records:
                try:
                    data, partition_key = record  # type: ignore[misc] # the usual two; others are sorted out below
                    explicit_hash_key = None
                except (TypeError, ValueError):
                    data, partition_key, explicit_hash_key = _parts(record)
                if (
                    usual
                    and type(data) is bytes
                    and type(partition_key) is str
                    and explicit_hash_key is None
                    and partition_key.isascii()
                    and 0 < len(partition_key) <= MAX_PARTITION_KEY
                    and (record_size := len(data) + len(partition_key)) <= most
                ):
                    # What prepare() does with nearly every record, spared the call.
                    run.append(TrackedRecord(partition_key, data, None, record_size, origin))
                    size += record_size
                else:
                    prepared = prepare(data, partition_key, explicit_hash_key)
                    run.append(prepared)
                    size += prepared.size
                if size >= RUN_BYTES:
                    whole, whole_size, run, size = run, size, [], 0
                    yield whole, whole_size
        except GeneratorExit:
            raise
        except BaseException:
            yield run, size
            raise
        yield run, size

    def _through_hooks(
        self, partition_key: str, data: bytes, explicit_hash_key: int | None
    ) -> tuple[str, bytes, int | None]:
        record = UserRecord(partition_key, data, explicit_hash_key)
        for interceptor in self._interceptors:
            record = interceptor.on_put(record)
            if not isinstance(record, UserRecord):
                raise RecordInvalidError("interceptor", "one that returns a UserRecord", _kind(record))
        explicit_hash_key = record.explicit_hash_key
        if self._partitioner and explicit_hash_key is None:
            explicit_hash_key = self._partitioner(record)
        return record.partition_key, record.data, explicit_hash_key


def _parts(record: object) -> tuple[bytes, str, int | None]:
    if isinstance(record, UserRecord):
        return record.data, record.partition_key, record.explicit_hash_key
    if isinstance(record, tuple | list) and len(record) == 3:
        data, partition_key, explicit_hash_key = record
        return data, partition_key, explicit_hash_key
    raise RecordInvalidError(
        "form",
        "(data, partition_key), (data, partition_key, explicit_hash_key) or a UserRecord",
        f"a {type(record).__name__} of {len(record)}" if isinstance(record, tuple | list) else _kind(record),
    )


def _checked_size(data: object, partition_key: object, explicit_hash_key: object) -> int:
    """Return the size of a record that Kinesis could take, in bytes.

    The type checker may be off, and a request with one wrong record would fail as a whole.

    Raises:
        RecordInvalidError: Kinesis could not take it.
    """
    if not isinstance(data, bytes):
        raise RecordInvalidError("data", "bytes", _kind(data))
    if not isinstance(partition_key, str):
        raise RecordInvalidError(
            "partition_key", f"text of 1 to {MAX_PARTITION_KEY} characters", _kind(partition_key)
        )
    if not 1 <= len(partition_key) <= MAX_PARTITION_KEY:
        allowed = f"1 to {MAX_PARTITION_KEY} characters long"
        raise RecordInvalidError("partition_key", allowed, f"{len(partition_key)}")
    if explicit_hash_key is not None:
        if not isinstance(explicit_hash_key, int) or isinstance(explicit_hash_key, bool):
            raise RecordInvalidError(
                "explicit_hash_key", "a whole number, 0 to 2**128 - 1", _kind(explicit_hash_key)
            )
        if not 0 <= explicit_hash_key <= MAX_HASH_KEY:
            raise RecordInvalidError("explicit_hash_key", "0 to 2**128 - 1", f"{explicit_hash_key}")
    try:
        return len(data) + len(partition_key.encode())
    except UnicodeEncodeError as error:
        raise RecordInvalidError("partition_key", "text that UTF-8 can express") from error


def _kind(value: object) -> str:
    return f"a value of type {type(value).__name__}"
