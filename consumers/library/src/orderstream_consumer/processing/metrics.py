"""What a consumer measures: by KCL's names where it has one (see "Monitor KCL with Amazon CloudWatch")."""

from typing import Final

from orderstream.observability.metrics import Kind, Metric

RECORDS_PROCESSED: Final = Metric(
    "RecordsProcessed",
    Kind.COUNTER,
    "Count",
    "User records that processors were handed, repetitions included.",
)
DATA_BYTES_PROCESSED: Final = Metric(
    "DataBytesProcessed", Kind.COUNTER, "Bytes", "Their payloads.", detailed=True
)
PROCESS_RECORDS_TIME: Final = Metric(
    "RecordProcessor.processRecords.Time",
    Kind.DISTRIBUTION,
    "Milliseconds",
    "How long a processor took for the records of one read.",
)
MILLIS_BEHIND_LATEST: Final = Metric(
    "MillisBehindLatest",
    Kind.GAUGE,
    "Milliseconds",
    "How far the process is behind the stream's tip in what it has handled, on its worst shard.",
)
CURRENT_LEASES: Final = Metric("CurrentLeases", Kind.GAUGE, "Count", "Shards that the process works on.")
LOST_LEASES: Final = Metric(
    "LostLeases", Kind.COUNTER, "Count", "Leases that others took or that expired. Embedded engine only."
)
RENEW_LEASE_TIME: Final = Metric(
    "RenewLease.Time",
    Kind.DISTRIBUTION,
    "Milliseconds",
    "How long a lease's renewal took, one that failed included. Embedded engine only.",
    detailed=True,
)
RENEW_LEASE_SUCCESS: Final = Metric(
    "RenewLease.Success",
    Kind.DISTRIBUTION,
    "Count",
    "1 for a renewal to which the table responded, 0 for one that failed: the average is the share. Embedded "
    "engine only.",
    detailed=True,
)
EXPIRED_LEASES: Final = Metric(
    "ExpiredLeases",
    Kind.DISTRIBUTION,
    "Count",
    "Leases without an owner, or that their owner has not renewed for the failover time, at each look. "
    "Embedded engine only.",
    detailed=True,
)
LEASES_TO_TAKE: Final = Metric(
    "LeasesToTake",
    Kind.DISTRIBUTION,
    "Count",
    "Leases that the process tries to take, at each look. Embedded engine only.",
    detailed=True,
)
NUM_WORKERS: Final = Metric(
    "NumWorkers",
    Kind.GAUGE,
    "Count",
    "Owners of leases that were seen at the last look. Embedded engine only.",
    detailed=True,
)

HANDLED: Final = Metric("Handled", Kind.COUNTER, "Count", "Records whose effects are committed.")
RETRIED: Final = Metric(
    "Retried", Kind.COUNTER, "Count", "Tries that failed by an outage and are made again."
)
RECORDS_PARKED: Final = Metric(
    "RecordsParked", Kind.COUNTER, "Count", "Records that were parked, those behind a parked one included."
)
RECORDS_HANDED_OVER: Final = Metric(
    "RecordsHandedOver", Kind.COUNTER, "Count", "Records that failed by themselves and went to on_failure."
)
ABANDONED: Final = Metric(
    "Abandoned",
    Kind.COUNTER,
    "Count",
    "Records that were not done when their shard's work ended; others do them.",
)
SHARDS_GIVEN_UP: Final = Metric(
    "ShardsGivenUp",
    Kind.COUNTER,
    "Count",
    "Ends of a shard's work by a defect: a lane was killed, a checkpoint refused.",
)
OVERTOOK: Final = Metric(
    "Overtook",
    Kind.COUNTER,
    "Count",
    "Tries of records that went ahead of parked ones of their key.",
    detailed=True,
)
PARKED: Final = Metric(
    "Parked",
    Kind.GAUGE,
    "Count",
    "Records of the application that wait for a person, whichever process is asked.",
)
BREAKER_OPEN: Final = Metric(
    "BreakerOpen", Kind.GAUGE, "Count", "1 while tries are held back because a dependency fails, else 0."
)
CHECKPOINT_AGE: Final = Metric(
    "CheckpointAge",
    Kind.GAUGE,
    "Seconds",
    "Since when no checkpoint has moved although records wait, on the worst shard; 0 where none wait; no "
    "figure while that is unknown.",
)
RETENTION_GAPS: Final = Metric(
    "RetentionGaps", Kind.GAUGE, "Count", "How often records had expired before the process could read them."
)
CORRUPT_AGGREGATES: Final = Metric(
    "CorruptAggregates",
    Kind.GAUGE,
    "Count",
    "Aggregates that could not be deaggregated, on the shards at present.",
)
WRONG_SHARD_AGGREGATES: Final = Metric(
    "WrongShardAggregates",
    Kind.GAUGE,
    "Count",
    "Aggregates of another shard that were discarded, at present.",
)
UNKNOWN_TYPE: Final = Metric(
    "UnknownType", Kind.COUNTER, "Count", "Events that were passed over because nobody here knows their type."
)
UNEXPECTED: Final = Metric(
    "Unexpected",
    Kind.COUNTER,
    "Count",
    "Messages that the flow's rules do not let happen; they change nothing.",
)
HEALTHY: Final = Metric(
    "Healthy",
    Kind.GAUGE,
    "Count",
    "1 while /health says healthy, else 0. No figure at all: the process is gone.",
)

TALLIED: Final = {
    "handled": HANDLED,
    "retried": RETRIED,
    "parked": RECORDS_PARKED,
    "handed_over": RECORDS_HANDED_OVER,
    "abandoned": ABANDONED,
    "given_up": SHARDS_GIVEN_UP,
    "overtook": OVERTOOK,
    "unknown_type": UNKNOWN_TYPE,
    "unexpected": UNEXPECTED,
}
"""The metrics of what delivery counts."""

CONSUMER_METRICS: Final[tuple[Metric, ...]] = (
    RECORDS_PROCESSED,
    DATA_BYTES_PROCESSED,
    PROCESS_RECORDS_TIME,
    MILLIS_BEHIND_LATEST,
    CURRENT_LEASES,
    LOST_LEASES,
    RENEW_LEASE_TIME,
    RENEW_LEASE_SUCCESS,
    EXPIRED_LEASES,
    LEASES_TO_TAKE,
    NUM_WORKERS,
    *TALLIED.values(),
    PARKED,
    BREAKER_OPEN,
    CHECKPOINT_AGE,
    RETENTION_GAPS,
    CORRUPT_AGGREGATES,
    WRONG_SHARD_AGGREGATES,
    HEALTHY,
)
"""All of them."""
