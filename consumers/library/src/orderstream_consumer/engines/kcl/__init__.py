"""Amazon's Kinesis Client Library as an engine: its MultiLangDaemon balances, our processors do the work.

::

    worker (this process)              MultiLangDaemon (Java)           shard process, one a shard
      health, background   ── starts ──> leases, reads, aggregates ── starts ──> the five calls
      WorkerEnd of the channel <────────────── progress, counters ──────────────────── ShardEnd
                         ─────────────── "drain", or its end ──────────────────>
"""

from orderstream_consumer.engines.kcl.daemon import DaemonEndedError, KclMissingError
from orderstream_consumer.engines.kcl.shard_process import run_shard_process
from orderstream_consumer.engines.kcl.worker import KclWorker

__all__ = ["DaemonEndedError", "KclMissingError", "KclWorker", "run_shard_process"]
