"""Retrieval: how records get from a shard to its processor."""

from orderstream_workers.engine.retrieval.kinesis import KinesisReader
from orderstream_workers.engine.retrieval.opening import HashRange, OpenedRecords, open_records
from orderstream_workers.engine.retrieval.polling import (
    Answer,
    Batch,
    Issued,
    IssueIterator,
    PollingReader,
    Read,
    ReadRecords,
    Refusal,
    Request,
)

__all__ = [
    "Answer",
    "Batch",
    "HashRange",
    "IssueIterator",
    "Issued",
    "KinesisReader",
    "OpenedRecords",
    "PollingReader",
    "Read",
    "ReadRecords",
    "Refusal",
    "Request",
    "open_records",
]
