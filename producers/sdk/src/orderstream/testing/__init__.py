"""For tests of applications: a Kinesis in the process, with shards, limits and faults on demand.

``FakeKinesis().client()`` replaces ``boto3.client("kinesis")``. ``python -m orderstream.testing.server``
serves the same over HTTP (extra ``testing``).
"""

from orderstream.testing.client import FakeKinesisClient
from orderstream.testing.errors import KinesisError
from orderstream.testing.fake import FakeKinesis
from orderstream.testing.faults import Fault, FaultKind, Faults
from orderstream.testing.state.limits import Limits
from orderstream.testing.state.shard import StoredRecord

__all__ = [
    "FakeKinesis",
    "FakeKinesisClient",
    "Fault",
    "FaultKind",
    "Faults",
    "KinesisError",
    "Limits",
    "StoredRecord",
]
