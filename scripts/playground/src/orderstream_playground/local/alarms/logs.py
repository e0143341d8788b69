"""Follows the logs of a local environment's processes: what was added since the last look."""

from pathlib import Path

from orderstream_playground.local.alarms.samples import Samples


class LogFollower:
    """Reads each log to its end, and goes on there at the next look.

    Args:
        folder: The folder of the logs.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: dict[Path, int] = {}

    def feed(self, samples: Samples) -> None:
        """Take in the lines that were added; the beginning of a line waits for its end."""
        for file in sorted(self._folder.glob("*.log")):
            with file.open("rb") as log:
                log.seek(self._read.get(file, 0))
                for line in log:
                    if not line.endswith(b"\n"):
                        break
                    samples.take(line)
                    self._read[file] = self._read.get(file, 0) + len(line)
