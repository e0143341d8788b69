"""``python -m orderstream_orders.catalogue``: write the catalogue, or check it with ``--check``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from orderstream_orders.catalogue.examples import NoExampleError
from orderstream_orders.catalogue.files import broken, outdated, write


def main(arguments: Sequence[str] | None = None) -> int:
    """Write or check the catalogue.

    Args:
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        0 if all is well, 1 where files are outdated or a schema has not only grown.
    """
    parser = argparse.ArgumentParser(prog="python -m orderstream_orders.catalogue", description=__doc__)
    parser.add_argument("--docs", type=Path, default=Path("docs"), help="the documentation's folder (docs)")
    parser.add_argument("--check", action="store_true", help="write nothing, say what is outdated")
    options = parser.parse_args(arguments)
    try:
        return _done(options.docs, check=options.check)
    except NoExampleError as error:
        sys.stderr.write(f"{error}\n")
        return 1


def _done(docs: Path, *, check: bool) -> int:
    if changes := broken(docs):
        sys.stderr.writelines(f"breaking change: {change}\n" for change in changes)
        sys.stderr.write("keep the field as it is, or raise schema_version and register an upcaster\n")
        return 1
    if not check:
        write(docs)
        return 0
    paths = outdated(docs)
    sys.stderr.writelines(f"outdated: {docs / path}\n" for path in paths)
    return 1 if paths else 0


if __name__ == "__main__":
    sys.exit(main())
