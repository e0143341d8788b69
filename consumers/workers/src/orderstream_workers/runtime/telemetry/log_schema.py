"""``python -m orderstream_workers.runtime.telemetry.log_schema``: writes or checks docs/log-schema.json."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from orderstream_orders.catalogue.generated import write_or_check
from orderstream_workers.runtime.topology.log_fields import schema


def rendered(_: str = "") -> str:
    """The file as it should be."""
    return json.dumps(schema(), indent=2) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the file.

    Args:
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        0 if all is well, 1 where the file is outdated.
    """
    return write_or_check(
        "orderstream_workers.runtime.telemetry.log_schema", Path("docs/log-schema.json"), rendered, arguments
    )


if __name__ == "__main__":
    sys.exit(main())
