"""Retrieval: how records get from a shard to its processor."""

from orderstream_workers.engine.retrieval.calls import (
    Answer,
    Batch,
    Issued,
    IssueIterator,
    LookedUp,
    LookUpShard,
    Pin,
    Pinned,
    Read,
    ReadRecords,
    Refusal,
    Request,
)
from orderstream_workers.engine.retrieval.kinesis import KinesisReader
from orderstream_workers.engine.retrieval.opening import HashRange, OpenedRecords, open_records
from orderstream_workers.engine.retrieval.polling import PollingReader

__all__ = [
    "Answer",
    "Batch",
    "HashRange",
    "IssueIterator",
    "Issued",
    "KinesisReader",
    "LookUpShard",
    "LookedUp",
    "OpenedRecords",
    "Pin",
    "Pinned",
    "PollingReader",
    "Read",
    "ReadRecords",
    "Refusal",
    "Request",
    "open_records",
]
