"""Records which AWS actions each process needs: ``python infra/tests/recording/record.py RUN COMMAND...``.

It runs the command with the hook beside this file, in it and in every process that it starts, and writes what
they called under the run's name into ``recorded-calls.json``. Other runs in the file stay.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RECORDED = HERE / "recorded-calls.json"


def lines(folder: Path) -> set[tuple[str, str, str]]:
    """Every combination of process, action and resource that was noted."""
    found = set()
    for file in folder.glob("*.tsv"):
        for line in file.read_text(encoding="utf-8").splitlines():
            process, action, resource = line.split("\t")
            found.add((process, action, resource))
    return found


def nested(found: set[tuple[str, str, str]]) -> dict[str, dict[str, list[str]]]:
    """By process and resource, the actions."""
    result: dict[str, dict[str, list[str]]] = {}
    for process, action, resource in sorted(found):
        result.setdefault(process, {}).setdefault(resource, []).append(action)
    return result


def main() -> int:
    """Run, read and write."""
    run, *command = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="recorded-calls-") as folder:
        path = f"{HERE / 'hook'}:{os.environ.get('PYTHONPATH', '')}"
        ended = subprocess.run(
            command, env=os.environ | {"PYTHONPATH": path, "RECORD_CALLS_INTO": folder}, check=False
        )
        found = lines(Path(folder))
    if ended.returncode != 0 or not found:
        sys.stderr.write(f"nothing is recorded: the command ended with {ended.returncode}\n")
        return 1
    runs = json.loads(RECORDED.read_bytes()) if RECORDED.exists() else {}
    runs[run] = nested(found)
    RECORDED.write_text(json.dumps(runs, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
