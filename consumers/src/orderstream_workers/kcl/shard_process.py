"""The process of one shard, as MultiLangDaemon starts it."""

import datetime as dt
import os
import threading
from collections.abc import Callable, Mapping
from typing import TextIO

from orderstream_workers.engine.lifecycle import ShardProgress
from orderstream_workers.engine.processor import ProcessorFactory
from orderstream_workers.kcl.adapter import MultiLangProcessor
from orderstream_workers.kcl.channel import CHANNEL, Mouth, Told


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def run_shard_process(
    processors: ProcessorFactory,
    *,
    protocol: tuple[TextIO, TextIO],
    errors: TextIO,
    counters: Callable[[], Mapping[str, int]],
    environment: Mapping[str, str] = os.environ,
    clock: Callable[[], dt.datetime] = _utc_now,
) -> None:
    """Serve the daemon until it closes our input.

    Args:
        processors: Makes the processor of the shard.
        protocol: What the daemon writes to us, and what we write to it.
        errors: Where ``amazon_kclpy`` tells of what it met.
        counters: What this process has counted so far.
        environment: Names the worker's channel.
        clock: The time (UTC).
    """
    from amazon_kclpy.kcl import KCLProcess  # noqa: PLC0415 - an extra

    stop = threading.Event()
    mouth = Mouth(environment[CHANNEL], stop)

    def told(progress: ShardProgress) -> None:
        mouth.tell(Told(progress, dict(counters())))

    from_daemon, to_daemon = protocol
    processor = MultiLangProcessor(processors, stop, told, clock)
    try:
        KCLProcess(processor, from_daemon, to_daemon, errors).run()
    finally:
        mouth.close()
