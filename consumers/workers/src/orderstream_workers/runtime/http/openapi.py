"""``python -m orderstream_workers.runtime.http.openapi``: write the OpenAPI document, or check it."""

import sys
from collections.abc import Sequence
from pathlib import Path

import msgspec

from orderstream_orders.api.openapi import document
from orderstream_orders.catalogue.generated import write_or_check
from orderstream_workers.runtime.http.beside import DESCRIBED


def rendered() -> str:
    """The document of what ``orderstream api`` serves, as the file should hold it."""
    return msgspec.json.format(msgspec.json.encode(document(*DESCRIBED)), indent=2).decode() + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the document.

    Args:
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        0 if all is well, 1 where the file is outdated.
    """
    return write_or_check(
        "orderstream_workers.runtime.http.openapi",
        Path("docs/openapi.json"),
        lambda _present: rendered(),
        arguments,
    )


if __name__ == "__main__":
    sys.exit(main())
