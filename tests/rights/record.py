"""Records which AWS actions each process needs: ``python -m rights.record RUN COMMAND...``, from ``tests/``.

It runs the command with the hook beside this file, in it and in every process that it starts, and writes what
they called under the run's name into ``recorded-calls.json``. Other runs in the file stay.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from rights.recorded import RECORDED, of_interest

HERE = Path(__file__).parent


def lines(folder: Path) -> set[tuple[str, str, str]]:
    """Every combination of caller, action and resource that was noted."""
    found = set()
    for file in folder.glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            caller, action, resource = line.split("\t")
            if of_interest(caller):
                found.add((caller, action, resource))
    return found


def nested(found: set[tuple[str, str, str]]) -> dict[str, dict[str, list[str]]]:
    """By caller and resource, the actions."""
    result: dict[str, dict[str, list[str]]] = {}
    for caller, action, resource in sorted(found):
        result.setdefault(caller, {}).setdefault(resource, []).append(action)
    return result


def variables(folder: str) -> Mapping[str, str]:
    """What makes a process, and all that it starts, note its calls in a folder."""
    paths = [str(HERE / "hook"), str(HERE.parent), os.environ.get("PYTHONPATH", "")]
    return {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "RECORD_CALLS_INTO": folder}


def written(run: str, found: set[tuple[str, str, str]]) -> None:
    """Put a run into the file; what it had under this name goes."""
    runs = json.loads(RECORDED.read_bytes()) if RECORDED.exists() else {}
    runs[run] = nested(found)
    RECORDED.write_text(json.dumps(runs, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def main() -> int:
    """Run, read and write."""
    run, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="recorded-calls-") as folder:
        ended = subprocess.run(command, env=os.environ | variables(folder), check=False)
        found = lines(Path(folder))
    if ended.returncode != 0 or not found:
        sys.stderr.write(f"nothing is recorded: the command ended with {ended.returncode}\n")
        return 1
    written(run, found)
    return 0


if __name__ == "__main__":
    sys.exit(main())
