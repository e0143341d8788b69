"""What users need to test their own code: a fake Kinesis with shards, limits, resharding and faults on demand.

Use it in the process through ``FakeKinesis().client()``, or serve it with ``python -m orderstream.testing.server``.
"""

from orderstream.testing.client import FakeKinesis
from orderstream.testing.errors import KinesisError
from orderstream.testing.faults import Fault, FaultKind, Faults
from orderstream.testing.limits import Limits
from orderstream.testing.resharding import HashRange
from orderstream.testing.shard import Shard, StoredRecord

__all__ = [
    "FakeKinesis",
    "Fault",
    "FaultKind",
    "Faults",
    "HashRange",
    "KinesisError",
    "Limits",
    "Shard",
    "StoredRecord",
]
