"""Shows that the simulation finds what it is there for: plants one defect after the other and looks.

The shipped package is copied, never changed. ``python -m planted.run`` in ``tests``; exit code 1 if a defect
stays unseen for so many seeds.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import orderstream
from planted.bugs import BUGS, Bug

SEEDS = 1000
PACKAGE = Path(orderstream.__file__).parent


def plant(bug: Bug, into: Path) -> None:
    """Put a defect into a copy of the package.

    Raises:
        ValueError: The place is gone: the module was changed, and the defect must follow.
    """
    module = into / "orderstream" / "kpl" / bug.module
    source = module.read_text()
    if source.count(bug.right) != 1:
        raise ValueError(f"{bug.name}: its place is not in {bug.module} any more; adapt planted/bugs.py")
    module.write_text(source.replace(bug.right, bug.wrong))


def look(source: Path, seeds: int = SEEDS) -> str | None:
    """Return what the simulation says of a copy of the package; None if it finds nothing."""
    ended = subprocess.run(
        [sys.executable, "-m", "fakes.kpl_simulation", "0", str(seeds)],
        env={"PYTHONPATH": f"{source}:{Path(__file__).parents[1]}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return ended.stderr.strip() if ended.returncode else None


def main() -> int:
    """Plant each, look, and tell."""
    unseen = 0
    for bug in BUGS:
        with tempfile.TemporaryDirectory() as directory:
            copy = Path(directory)
            shutil.copytree(PACKAGE, copy / "orderstream")
            plant(bug, copy)
            found = look(copy)
        unseen += found is None
        print(f"{bug.name}\n    {found or f'NOT FOUND in {SEEDS} seeds'}", flush=True)
    print(f"{len(BUGS) - unseen} of {len(BUGS)} found")
    return 1 if unseen else 0


if __name__ == "__main__":
    sys.exit(main())
