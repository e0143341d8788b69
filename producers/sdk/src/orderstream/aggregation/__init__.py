"""KPL's aggregated record format, which KCL opens: many user records in one Kinesis record."""

from orderstream.aggregation.aggregate import AggregateCorruptError, Opened, deaggregate
from orderstream.aggregation.user_record import MAX_HASH_KEY, UserRecord, hash_key_of

__all__ = ["MAX_HASH_KEY", "AggregateCorruptError", "Opened", "UserRecord", "deaggregate", "hash_key_of"]
