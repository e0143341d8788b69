"""Retrieval: how records get from a shard to its processor."""

from orderstream_consumer.engines.embedded.retrieval.calls import (
    Issued,
    IssueIterator,
    LookedUp,
    LookUpShard,
    Pin,
    Pinned,
    Read,
    ReadRecords,
    Refusal,
    RetrievalRequest,
    RetrievalResponse,
    RetrievedBatch,
)
from orderstream_consumer.engines.embedded.retrieval.deaggregation import (
    DeaggregatedRecords,
    deaggregate_records,
)
from orderstream_consumer.engines.embedded.retrieval.kinesis import KinesisReader
from orderstream_consumer.engines.embedded.retrieval.listing import Listing
from orderstream_consumer.engines.embedded.retrieval.polling import PROPAGATION, PollingReader

__all__ = [
    "PROPAGATION",
    "DeaggregatedRecords",
    "IssueIterator",
    "Issued",
    "KinesisReader",
    "Listing",
    "LookUpShard",
    "LookedUp",
    "Pin",
    "Pinned",
    "PollingReader",
    "Read",
    "ReadRecords",
    "Refusal",
    "RetrievalRequest",
    "RetrievalResponse",
    "RetrievedBatch",
    "deaggregate_records",
]
