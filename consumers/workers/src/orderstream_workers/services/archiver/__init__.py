"""The archiver: every record of the stream, in Parquet objects whose names cannot collide or leave a gap."""

from typing import Final

from orderstream_consumer.store import TableSpec
from orderstream_workers.services.archiver.buffer import ArchiveConfig
from orderstream_workers.services.archiver.objects import ObjectStore
from orderstream_workers.services.archiver.parquet import SCHEMA
from orderstream_workers.services.archiver.processor import ArchiverProcessor
from orderstream_workers.services.archiver.s3 import S3ObjectStore

APPLICATION: Final = "archiver"
"""Names the consumer's leases and checkpoints."""

TABLES: Final[tuple[TableSpec, ...]] = ()
"""It keeps nothing in the store: its names are its memory."""

__all__ = [
    "APPLICATION",
    "SCHEMA",
    "TABLES",
    "ArchiveConfig",
    "ArchiverProcessor",
    "ObjectStore",
    "S3ObjectStore",
]
