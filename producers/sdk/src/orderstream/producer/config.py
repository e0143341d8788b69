"""Every setting of a producer, with its unit, default and range, and what it costs."""

from dataclasses import dataclass
from typing import Literal

from orderstream.configuration import ConfigChecks

KIB = 1024
MIB = 1024 * KIB

MAX_ENTRIES_PER_REQUEST = 500
"""Kinesis API, PutRecords: "Each PutRecords request can support up to 500 records"."""

MAX_REQUEST_BYTES = 10 * MIB
"""Kinesis API, PutRecords: the entire request, partition keys included."""

MAX_RECORD_BYTES = 10 * MIB
"""The largest record a stream can be configured to take (Kinesis API, UpdateMaxRecordSize)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProducerConfig:
    """How a producer batches, limits, retries and waits.

    Attributes:
        region_name: AWS region. Default: what boto3 finds in the environment.
        endpoint_url: Kinesis endpoint. Default: what boto3 finds, ``AWS_ENDPOINT_URL_KINESIS`` included.
        aggregation: Pack many user records into one Kinesis record, in KPL's format. Default True. Off, each
            user record is a Kinesis record and counts against the shard's 1,000 a second.
        aggregate_target_bytes: How large an aggregate becomes at an easy pace. Default 50 KiB; 1 KiB to 1
            MiB. Larger ones save requests and cost latency, and starve on a shard that other producers fill
            with small ones.
        aggregate_max_bytes: How large an aggregate becomes at most when more waits than is sent. Default 512
            KiB; from ``aggregate_target_bytes`` to 10 MiB. No aggregate is larger than ``record_max_bytes``
            or ``collection_max_bytes``, whatever this is. Larger ones catch up with fewer requests; each
            that fails is sent again whole.
        aggregate_max_records: User records in an aggregate. Default 10,000; 1 to 1,000,000. Consumers open an
            aggregate at once and hold all of it in memory.
        linger: How long a record may wait for company, in seconds. Default 0: it goes out as soon as nothing
            of its slot is under way. 0 to 60. It is latency, paid for fewer and fuller requests.
        collection_max_records: Kinesis records in a PutRecords request. Default 500; 1 to 500. Fewer mean
            more requests, each some milliseconds of CPU.
        collection_max_bytes: Size of a PutRecords request, in bytes. Default 5 MiB; 1 KiB to 10 MiB. A record
            that is larger travels in a request of its own. A call that fails sends all of it again; in memory
            base64 makes it a third larger.
        max_in_flight_requests: PutRecords requests under way at once. Default 8; 1 to 256. Each takes a
            thread and, while under way, up to ``collection_max_bytes`` of memory.
        slots_per_shard: Without aggregation, how many records a shard may have under way at once while each
            key keeps its order. Default 64; 1 to 4,096.
        buffered_bytes: Payload and keys that may be outstanding at once, in bytes. Default 32 MiB; from
            ``record_max_bytes`` up. Memory is up to three times this for records of 250 bytes, and up to six
            times for records of 100, most of which is not payload.
        when_full: What ``put`` does when the buffer is full: ``"block"`` until there is room (default), or
            ``"raise"`` BufferFullError.
        records_per_second_per_shard: Kinesis records this producer sends to one shard. Default 1,000, the
            shard's own limit; above 0. Lower it where other producers write to the same stream.
        bytes_per_second_per_shard: Likewise in bytes. Default 1 MiB; above 0.
        ordering: ``"per_key"`` (default): the first occurrences of a key's records appear in put order.
            ``"none"``: a slot need not wait for its acknowledgement, which carries more through a slow
            connection.
        record_max_bytes: Payload and partition key of one user record, in bytes. Default 1 MiB; 1 to 10 MiB.
            More than 1 MiB only works on a stream that is configured for it.
        retry_base_delay: Longest wait before the first retry, in seconds; it doubles each time. Default 0.05;
            above 0 to 60. All that a slot holds waits with it; a short wait meets the same throttle again.
        retry_max_delay: Longest wait before any retry, in seconds. Default 2; from ``retry_base_delay`` to
            300. Without ``max_attempts`` and ``delivery_timeout`` retries have no end: a record is given up
            only on a response that will not change.
        max_attempts: How often a record is sent at most. Default None: as often as it takes, until the
            ``delivery_timeout`` if there is one. 1 or more. The record whose last attempt fails is reported
            first; then the later ones of its key go out, so consumers see a gap and never another order.
            Where the response to an attempt was lost, the record may arrive all the same, late. Waiting for
            the shard map or for room under a limit is no attempt.
        delivery_timeout: How long after its put a record may be sent again, in seconds. Default None: no
            limit: records wait out an outage of Kinesis. Above 0 to 86,400. A record under way at that
            moment is given up when its response fails to come, hence up to ``read_timeout`` and a hundredth
            of this later, and one whose position is in doubt with the youngest of its aggregate; either may
            arrive all the same.
        connect_timeout: For a connection to Kinesis, in seconds. Default 5; above 0 to 60. A host that does
            not respond holds a thread and its records' slots for this long.
        read_timeout: For a response of Kinesis, in seconds. Default 5; above 0 to 60. A lost response holds
            its slots for this long.
        close_timeout: How long leaving the ``with`` block waits for acknowledgements, in seconds. Default 30;
            0 to 3,600. What is left then is lost unless ``close`` is called instead, which hands it back.

    Raises:
        ConfigError: A value is out of range.
    """

    region_name: str | None = None
    endpoint_url: str | None = None
    aggregation: bool = True
    aggregate_target_bytes: int = 50 * KIB
    aggregate_max_bytes: int = 512 * KIB
    aggregate_max_records: int = 10_000
    linger: float = 0.0
    collection_max_records: int = MAX_ENTRIES_PER_REQUEST
    collection_max_bytes: int = 5 * MIB
    max_in_flight_requests: int = 8
    slots_per_shard: int = 64
    buffered_bytes: int = 32 * MIB
    when_full: Literal["block", "raise"] = "block"
    records_per_second_per_shard: float = 1000
    bytes_per_second_per_shard: float = MIB
    ordering: Literal["per_key", "none"] = "per_key"
    record_max_bytes: int = MIB
    retry_base_delay: float = 0.05
    retry_max_delay: float = 2.0
    max_attempts: int | None = None
    delivery_timeout: float | None = None
    connect_timeout: float = 5.0
    read_timeout: float = 5.0
    close_timeout: float = 30.0

    def __post_init__(self) -> None:
        checks = ConfigChecks(self)
        for field in ("region_name", "endpoint_url"):
            checks.text_or_none(field, "what boto3 finds")
        checks.one_of("aggregation", True, False)
        checks.within("record_max_bytes", 1, MAX_RECORD_BYTES)
        checks.within("aggregate_target_bytes", KIB, MIB)
        checks.within("aggregate_max_bytes", self.aggregate_target_bytes, MAX_RECORD_BYTES)
        checks.within("aggregate_max_records", 1, 1_000_000)
        checks.within("linger", 0, 60)
        checks.within("collection_max_records", 1, MAX_ENTRIES_PER_REQUEST)
        checks.within("collection_max_bytes", KIB, MAX_REQUEST_BYTES)
        checks.within("max_in_flight_requests", 1, 256)
        checks.within("slots_per_shard", 1, 4096)
        checks.within("buffered_bytes", self.record_max_bytes)
        checks.one_of("when_full", "block", "raise")
        checks.above_zero("records_per_second_per_shard")
        checks.above_zero("bytes_per_second_per_shard")
        checks.one_of("ordering", "per_key", "none")
        checks.above_zero("retry_base_delay", 60)
        checks.within("retry_max_delay", self.retry_base_delay, 300)
        if self.max_attempts is not None:
            checks.within("max_attempts", 1)
        if self.delivery_timeout is not None:
            checks.above_zero("delivery_timeout", 86_400)
        checks.above_zero("connect_timeout", 60)
        checks.above_zero("read_timeout", 60)
        checks.within("close_timeout", 0, 3600)
