"""A Kinesis producer in the manner of Amazon's KPL, and the format it shares with KCL; it knows no orders."""

from orderstream.kpl.aggregation import AggregateCorruptError, Opened, deaggregate
from orderstream.kpl.user_record import MAX_HASH_KEY, UserRecord, hash_key_of

__all__ = ["MAX_HASH_KEY", "AggregateCorruptError", "Opened", "UserRecord", "deaggregate", "hash_key_of"]
