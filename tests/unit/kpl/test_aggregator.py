from orderstream.kpl import UserRecord, deaggregate
from orderstream.kpl.aggregation import encode_aggregate
from orderstream.kpl.aggregator import AGGREGATE_PARTITION_KEY, take_many, take_one
from orderstream.kpl.pending import PendingRecord
from orderstream.kpl.slots import Slot


def slot_with(*records: UserRecord) -> Slot:
    slot = Slot(0, "shard")
    for record in records:
        slot.append(
            PendingRecord(
                record.partition_key,
                record.data,
                record.explicit_hash_key,
                len(record.data) + len(record.partition_key),
            )
        )
    return slot


def test_many_become_one_under_a_hash_key_of_their_own() -> None:
    """The aggregate is routed by the hash key of its first user record, which lies in the slot."""
    records = [UserRecord(f"key-{number}", b"x" * number) for number in range(5)]
    slot = slot_with(*records)
    record = take_many(slot, 7, 50_000, 1000)
    assert list(deaggregate(record.data, record.partition_key).user_records) == records
    assert record.explicit_hash_key == str(records[0].hash_key)
    assert (record.partition_key, record.shard_id, record.map_version) == (
        AGGREGATE_PARTITION_KEY,
        "shard",
        7,
    )
    assert (len(slot.queue), slot.queued_bytes) == (0, 0)


def test_limits_leave_the_rest_in_the_queue() -> None:
    """Neither the size nor the number of user records is exceeded; what is left keeps its order."""
    records = [UserRecord("key", b"%03d" % number + bytes(97)) for number in range(50)]
    by_size = slot_with(*records)
    assert len(take_many(by_size, 1, 1024, 1000).data) <= 1024
    assert by_size.queue[0].data == records[50 - len(by_size.queue)].data
    by_number = slot_with(*records)
    assert len(take_many(by_number, 1, 50_000, 3).user_records) == 3


def test_a_record_alone_goes_out_plain() -> None:
    """Without company there is no wrapping, and the record keeps its own keys."""
    record = take_many(slot_with(UserRecord("key", b"data", 12)), 1, 50_000, 1000)
    assert (record.data, record.partition_key, record.explicit_hash_key) == (b"data", "key", "12")
    assert not record.aggregated


def test_a_record_too_large_for_an_aggregate_goes_out_plain() -> None:
    """The first record always leaves, whatever the limit."""
    slot = slot_with(UserRecord("key", bytes(5000)), UserRecord("key", b"next"))
    assert take_many(slot, 1, 1024, 1000).data == bytes(5000)
    assert len(slot.queue) == 1


def test_a_record_that_looks_like_an_aggregate_is_wrapped() -> None:
    """Consumers open one layer: without another around it they would hand out the inner records."""
    inner = encode_aggregate([UserRecord("a", b"1"), UserRecord("b", b"2")])
    record = take_many(slot_with(UserRecord("outer", inner)), 1, 50_000, 1000)
    assert deaggregate(record.data, record.partition_key).user_records == (UserRecord("outer", inner),)


def test_taking_one_takes_the_first() -> None:
    """Without aggregation records leave one by one."""
    slot = slot_with(UserRecord("key", b"1"), UserRecord("key", b"2"))
    assert [take_one(slot, 1).data, take_one(slot, 1).data] == [b"1", b"2"]
