"""What the pipeline is made of: its processes, and the streams, tables, queues and so on that each needs.

Values only: nothing here opens a client, reads the environment or the clock. Provisioning, the local
environment, the compose file's check, ``/health``, ``orderstream status``, the chaos tests and the tables of
the operations guide read it. Each stream application is declared beside its wiring, in its own file
(``runtime.applications``); ``runtime.discovery`` finds these files and puts the whole together.
"""

from orderstream_workers.runtime.topology.alarm_spec import (
    AlarmSpec,
    AwsMetric,
    Gateway,
    OwnMetric,
    Series,
    Share,
)
from orderstream_workers.runtime.topology.processes import (
    ORDERS,
    Process,
    StreamApplication,
    Topology,
    TopologyError,
)
from orderstream_workers.runtime.topology.specs import (
    BucketSpec,
    DatabaseSpec,
    HttpServiceSpec,
    LeasesSpec,
    QueueSpec,
    Resource,
    SenderSpec,
    StreamSpec,
    TopicSpec,
)

__all__ = [
    "ORDERS",
    "AlarmSpec",
    "AwsMetric",
    "BucketSpec",
    "DatabaseSpec",
    "Gateway",
    "HttpServiceSpec",
    "LeasesSpec",
    "OwnMetric",
    "Process",
    "QueueSpec",
    "Resource",
    "SenderSpec",
    "Series",
    "Share",
    "StreamApplication",
    "StreamSpec",
    "TopicSpec",
    "Topology",
    "TopologyError",
]
