"""``python -m orderstream_workers.runtime.http.openapi``: write the OpenAPI document, or check it."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from orderstream_orders.api.openapi import document
from orderstream_workers.projections.order_status import described


def rendered() -> str:
    """The document of what ``orderstream api`` serves, as the file should hold it."""
    return msgspec.json.format(msgspec.json.encode(document(described())), indent=2).decode() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the document.

    Args:
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        0 if all is well, 1 where the file is outdated.
    """
    parser = argparse.ArgumentParser(
        prog="python -m orderstream_workers.runtime.http.openapi", description=__doc__
    )
    parser.add_argument("--file", type=Path, default=Path("docs/openapi.json"), help="docs/openapi.json")
    parser.add_argument("--check", action="store_true", help="write nothing, say if it is outdated")
    options = parser.parse_args(arguments)
    if not options.check:
        options.file.write_text(rendered(), encoding="utf-8")
        return 0
    if options.file.exists() and options.file.read_text(encoding="utf-8") == rendered():
        return 0
    sys.stderr.write(f"outdated: {options.file}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
