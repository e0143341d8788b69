"""What travels together, and under which keys."""

from collections import deque

from orderstream import ProducerConfig
from orderstream.aggregation import UserRecord, deaggregate
from orderstream.aggregation.aggregate import encode_aggregate
from orderstream.producer.config import KIB
from orderstream.producer.core.aggregator import RUN, Aggregator, Waiting
from orderstream.producer.core.kinesis_record import AGGREGATE_PARTITION_KEY, KinesisRecord, RecordBatch
from orderstream.producer.core.pending import PendingRecord


def pending(*records: UserRecord) -> list[PendingRecord]:
    return [
        PendingRecord(
            record.partition_key,
            record.data,
            record.explicit_hash_key,
            len(record.data) + len(record.partition_key),
        )
        for record in records
    ]


def hundreds(number: int) -> list[PendingRecord]:
    return pending(*(UserRecord("key", b"%05d" % index + bytes(95)) for index in range(number)))


def packed(*records: UserRecord, **settings: object) -> list[KinesisRecord]:
    waiting: Waiting = deque()
    arrived = pending(*records)
    Aggregator(ProducerConfig(**settings)).extend(waiting, arrived, 0)
    return sealed(waiting)


def sealed(waiting: Waiting) -> list[KinesisRecord]:
    return [each.seal() if isinstance(each, RecordBatch) else each for each in waiting]


def payloads(records: list[KinesisRecord]) -> list[bytes]:
    return [user.data for record in records for user in record.user_records]


def test_many_become_one_under_a_hash_key_of_their_own() -> None:
    """The aggregate is routed by the hash key of its first user record, which lies in the slot."""
    records = [UserRecord(f"key-{number}", b"x" * number) for number in range(5)]
    (record,) = packed(*records)
    assert list(deaggregate(record.data, record.partition_key).user_records) == records
    assert record.explicit_hash_key == str(records[0].hash_key)
    assert record.partition_key == AGGREGATE_PARTITION_KEY
    assert record.user_bytes == sum(len(each.data) + len(each.partition_key) for each in records)


def test_neither_size_nor_number_is_exceeded_and_nothing_is_lost() -> None:
    """What does not fit begins the next Kinesis record, in put order, however the records arrived."""
    users = hundreds(2 * RUN + 7)
    for settings in (
        {"aggregate_target_bytes": KIB, "aggregate_max_bytes": 2 * KIB},
        {"aggregate_max_records": 3},
    ):
        for stride in (1, 7, len(users)):
            aggregator, waiting = Aggregator(ProducerConfig(**settings)), deque()
            for start in range(0, len(users), stride):
                aggregator.extend(waiting, users[start : start + stride], 0)
            records = sealed(waiting)
            assert payloads(records) == [user.data for user in users]
            assert all(record.size <= settings.get("aggregate_max_bytes", 50 * KIB) for record in records)
            assert all(
                len(record.user_records) <= settings.get("aggregate_max_records", 500) for record in records
            )


def test_aggregates_grow_with_what_waits() -> None:
    """Where much waits, a quarter of it is one aggregate, up to the bound: fewer requests catch up."""
    aggregator = Aggregator(ProducerConfig(aggregate_target_bytes=KIB, aggregate_max_bytes=8 * KIB))
    users = hundreds(150)
    for waiting_bytes in (0, 10 * KIB, 10_000 * KIB):
        waiting: Waiting = deque()
        added = aggregator.extend(waiting, users, waiting_bytes)
        assert added == sum(user.size for user in users)
        wanted = min(8 * KIB, (waiting_bytes + added) // 4)
        assert wanted - 130 < waiting[0].size <= wanted


def test_a_record_alone_goes_out_plain() -> None:
    """Without company there is no wrapping, and the record keeps its own keys."""
    (record,) = packed(UserRecord("key", b"data", 12))
    assert (record.data, record.partition_key, record.explicit_hash_key) == (b"data", "key", "12")
    assert not record.aggregated


def test_a_record_too_large_for_an_aggregate_goes_out_plain() -> None:
    """It travels alone between its neighbours, whatever the limit."""
    users = [UserRecord("key", b"before"), UserRecord("key", bytes(5000)), UserRecord("key", b"behind")]
    records = packed(*users, aggregate_target_bytes=KIB, aggregate_max_bytes=KIB)
    assert [record.data for record in records] == [user.data for user in users]


def test_what_is_packed_fits_into_a_request() -> None:
    """However small a request may be, an aggregate is no larger: it would wait forever."""
    config = ProducerConfig(
        aggregate_target_bytes=2 * KIB, aggregate_max_bytes=2 * KIB, collection_max_bytes=KIB
    )
    waiting: Waiting = deque()
    Aggregator(config).extend(waiting, hundreds(50), 0)
    assert max(each.size for each in waiting) <= KIB


def test_an_aggregate_is_no_larger_than_a_record_may_be() -> None:
    """A stream that refuses large records refuses large aggregates."""
    waiting: Waiting = deque()
    Aggregator(ProducerConfig(record_max_bytes=20 * KIB)).extend(waiting, hundreds(5000), 4096 * KIB)
    assert 15 * KIB < max(each.size for each in waiting) <= 20 * KIB


def test_a_record_that_looks_like_an_aggregate_is_wrapped() -> None:
    """Consumers open one layer: without another around it they would hand out the inner records.

    So it is whatever its size, and without aggregation too.
    """
    for size, aggregation in ((1, True), (100_000, True), (900_000, True), (1, False)):
        inner = encode_aggregate([UserRecord("a", bytes(size)), UserRecord("b", b"2")])
        (record,) = packed(UserRecord("outer", inner, 2**127), aggregation=aggregation)
        deaggregated = deaggregate(record.data, record.partition_key)
        assert deaggregated.user_records == (UserRecord("outer", inner, 2**127),)
        assert record.explicit_hash_key == str(2**127)
        assert record.size - len(inner) - len("outer") <= 93


def test_without_aggregation_each_travels_alone() -> None:
    """Every user record is a Kinesis record, in put order."""
    records = packed(UserRecord("key", b"1"), UserRecord("key", b"2"), aggregation=False)
    assert [record.data for record in records] == [b"1", b"2"]


def test_little_that_comes_back_joins_little_that_waits() -> None:
    """A retry is no reason for two small Kinesis records where one would do; the puts' order stays."""
    aggregator = Aggregator(ProducerConfig())
    first, second, third = (hundreds(3)[index : index + 1] for index in range(3))
    waiting: Waiting = deque()
    aggregator.extend(waiting, second, 0)
    aggregator.put_back(waiting, first)
    aggregator.extend(waiting, third, 0)
    (record,) = sealed(waiting)
    assert payloads([record]) == [user.data for user in (*first, *second, *third)]


def test_much_that_comes_back_is_sent_as_it_is() -> None:
    """A whole aggregate is kept, a small one is not; without aggregation there is nothing to gain."""
    aggregator = Aggregator(ProducerConfig(aggregate_target_bytes=KIB))
    small, large = (packed(*hundreds(number), aggregate_target_bytes=KIB)[0] for number in (2, 500))
    assert aggregator.keeps(large)
    assert not aggregator.keeps(small)
    assert Aggregator(ProducerConfig(aggregation=False)).keeps(small)
