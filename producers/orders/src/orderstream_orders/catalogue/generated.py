"""A file that is generated and committed: ``python -m MODULE`` writes it; ``--check`` compares it."""

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path


def write_or_check(
    module: str, file: Path, rendered: Callable[[str], str], arguments: Sequence[str] | None
) -> int:
    """Carry out the command that keeps one file.

    Args:
        module: Its name, as ``python -m`` takes it.
        file: Where the file is by default, below the repository's folder.
        rendered: The file as it should be, from what it is; from nothing where there is none.
        arguments: The command line without the program's name; None takes the process's own.

    Returns:
        0 if all is well, 1 where the file is outdated.
    """
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=f"Write {file}, or check it.")
    parser.add_argument("--file", type=Path, default=file, help=str(file))
    parser.add_argument("--check", action="store_true", help="write nothing, say if it is outdated")
    options = parser.parse_args(arguments)
    present = options.file.read_text(encoding="utf-8") if options.file.exists() else ""
    wanted = rendered(present)
    if not options.check:
        options.file.write_text(wanted, encoding="utf-8")
        return 0
    if present == wanted:
        return 0
    sys.stderr.write(f"outdated: {options.file}\n")
    return 1
