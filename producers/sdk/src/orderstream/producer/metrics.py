"""The metrics of a producer, by KPL's names (see "Monitor the KPL with Amazon CloudWatch")."""

from typing import Final

from orderstream.observability.metrics.metric import Kind, Metric

USER_RECORDS_RECEIVED: Final = Metric(
    "UserRecordsReceived", Kind.COUNTER, "Count", "Records that the application has put.", detailed=True
)
USER_RECORDS_PENDING: Final = Metric(
    "UserRecordsPending", Kind.GAUGE, "Count", "Records that were put and have no outcome yet.", detailed=True
)
USER_RECORDS_PUT: Final = Metric(
    "UserRecordsPut",
    Kind.COUNTER,
    "Count",
    "Records that Kinesis has acknowledged where consumers find them.",
)
USER_RECORDS_DATA_PUT: Final = Metric(
    "UserRecordsDataPut", Kind.COUNTER, "Bytes", "Their payloads and partition keys.", detailed=True
)
USER_RECORDS_GIVEN_UP: Final = Metric(
    "UserRecordsGivenUp", Kind.COUNTER, "Count", "Records that were given up; their deliveries have failed."
)
USER_RECORD_EXPIRED: Final = Metric(
    "UserRecordExpired",
    Kind.COUNTER,
    "Count",
    "Those of them that had waited for the whole delivery timeout.",
)
KINESIS_RECORDS_PUT: Final = Metric(
    "KinesisRecordsPut",
    Kind.COUNTER,
    "Count",
    "Kinesis records, aggregates or single records, that were taken.",
)
KINESIS_RECORDS_DATA_PUT: Final = Metric(
    "KinesisRecordsDataPut",
    Kind.COUNTER,
    "Bytes",
    "Their data and partition keys: what Kinesis counts.",
    detailed=True,
)
ALL_ERRORS: Final = Metric(
    "AllErrors", Kind.COUNTER, "Count", "Kinesis records that were refused, lost, or landed in a wrong shard."
)
ERRORS_BY_CODE: Final = Metric(
    "ErrorsByCode", Kind.COUNTER, "Count", "The same, by error code.", ("ErrorCode",)
)
RETRIES_PER_RECORD: Final = Metric(
    "RetriesPerRecord",
    Kind.DISTRIBUTION,
    "Count",
    "How often a record had to be sent again before its outcome.",
    detailed=True,
)
BUFFERING_TIME: Final = Metric(
    "BufferingTime",
    Kind.DISTRIBUTION,
    "Milliseconds",
    "From a record's put, or its last attempt's end, until it leaves; the oldest of each Kinesis record.",
)
REQUEST_TIME: Final = Metric(
    "RequestTime", Kind.DISTRIBUTION, "Milliseconds", "How long a PutRecords call took.", detailed=True
)
DELIVERY_TIME: Final = Metric(
    "DeliveryTime",
    Kind.DISTRIBUTION,
    "Milliseconds",
    "From a record's put to its outcome; the oldest of each Kinesis record.",
)
USER_RECORDS_PER_KINESIS_RECORD: Final = Metric(
    "UserRecordsPerKinesisRecord",
    Kind.DISTRIBUTION,
    "Count",
    "How many records travel in one Kinesis record.",
    detailed=True,
)
KINESIS_RECORDS_PER_REQUEST: Final = Metric(
    "KinesisRecordsPerPutRecordsRequest",
    Kind.DISTRIBUTION,
    "Count",
    "Kinesis records of a PutRecords call.",
    detailed=True,
)
USER_RECORDS_PER_REQUEST: Final = Metric(
    "UserRecordsPerPutRecordsRequest",
    Kind.DISTRIBUTION,
    "Count",
    "Records of a PutRecords call.",
    detailed=True,
)

PRODUCER_METRICS: Final[tuple[Metric, ...]] = (
    USER_RECORDS_RECEIVED,
    USER_RECORDS_PENDING,
    USER_RECORDS_PUT,
    USER_RECORDS_DATA_PUT,
    USER_RECORDS_GIVEN_UP,
    USER_RECORD_EXPIRED,
    KINESIS_RECORDS_PUT,
    KINESIS_RECORDS_DATA_PUT,
    ALL_ERRORS,
    ERRORS_BY_CODE,
    RETRIES_PER_RECORD,
    BUFFERING_TIME,
    REQUEST_TIME,
    DELIVERY_TIME,
    USER_RECORDS_PER_KINESIS_RECORD,
    KINESIS_RECORDS_PER_REQUEST,
    USER_RECORDS_PER_REQUEST,
)
"""All of them; detailed are those that KPL has at its level DETAILED.

KPL has no name for ``UserRecordsGivenUp`` and ``DeliveryTime``.
"""
