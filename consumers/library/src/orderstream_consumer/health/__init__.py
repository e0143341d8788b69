"""Health of a process: what it depends on, whether its records are handled, and both as JSON for a probe."""

from orderstream_consumer.health.asked import lease_table_asked, stream_asked, table_asked
from orderstream_consumer.health.changes import HealthChanges
from orderstream_consumer.health.listening import ListenError
from orderstream_consumer.health.measured import measure_report
from orderstream_consumer.health.report import WorkerStanding, worker_report
from orderstream_consumer.health.server import Report, health_served
from orderstream_consumer.health.watch import Dependency, DependencyWatch

__all__ = [
    "Dependency",
    "DependencyWatch",
    "HealthChanges",
    "ListenError",
    "Report",
    "WorkerStanding",
    "health_served",
    "lease_table_asked",
    "measure_report",
    "stream_asked",
    "table_asked",
    "worker_report",
]
