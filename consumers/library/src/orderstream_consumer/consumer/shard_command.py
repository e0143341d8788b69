"""The command and environment of the processes that KCL starts for a consumer's shards."""

import json
import logging
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

from orderstream_consumer.consumer.config import ConsumerConfig
from orderstream_consumer.consumer.importable import name_of

VARIABLE: Final = "ORDERSTREAM_CONSUMER_SHARD"
"""The environment variable that configures a shard's process, as JSON."""

COMMAND: Final = (sys.executable, "-m", "orderstream_consumer.consumer.kcl_shard")


def shard_variable(
    application: str,
    stream: str,
    *,
    handler: object,
    batch_handler: object,
    on_failure: object,
    config: ConsumerConfig,
) -> Mapping[str, str]:
    """The variable for the processes of an application's shards.

    Args:
        application: The application's name.
        stream: The stream's name.
        handler: The user's handler of records, or its name, or None.
        batch_handler: The user's handler of batches, or its name, or None.
        on_failure: What becomes of records that fail.
        config: The settings.

    Raises:
        HandlerNotImportableError: A new process could not import one of them.
    """
    content = {
        "application": application,
        "stream": stream,
        "handler": None if handler is None else name_of("handler", handler),
        "batch_handler": None if batch_handler is None else name_of("batch_handler", batch_handler),
        "on_failure": on_failure if isinstance(on_failure, str) else None,
        "failure_handler": None if isinstance(on_failure, str) else name_of("on_failure", on_failure),
        "config": asdict(config)
        | {"outages": [name_of("outages", kind) for kind in config.outages], "kcl_properties": {}},
        # A script's own folder is first in its path, but not in that of ``python -m``.
        "path": [str(Path(entry).absolute()) for entry in sys.path],
        "log_level": logging.getLogger().getEffectiveLevel(),
    }
    return {VARIABLE: json.dumps(content)}
