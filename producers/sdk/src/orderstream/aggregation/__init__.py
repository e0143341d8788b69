"""KPL's aggregated record format, which KCL deaggregates: many user records in one Kinesis record."""

from orderstream.aggregation.aggregate import AggregateCorruptError, Deaggregated, deaggregate
from orderstream.aggregation.user_record import MAX_HASH_KEY, UserRecord, hash_key_of

__all__ = [
    "MAX_HASH_KEY",
    "AggregateCorruptError",
    "Deaggregated",
    "UserRecord",
    "deaggregate",
    "hash_key_of",
]
