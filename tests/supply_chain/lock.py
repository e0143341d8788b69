"""What a lock file holds: packages with their versions, hashes, and who asked for them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]

_ENTRY = re.compile(r"^(?=[A-Za-z0-9])(.+?)$((?:\n[ ]+.*$)*)", re.MULTILINE)
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
_VIA = re.compile(r"^ +#(?: via)? +(\S+)$", re.MULTILINE)

LINUX: Mapping[str, str] = {
    "implementation_name": "cpython",
    "os_name": "posix",
    "platform_machine": "aarch64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": "3.11.0",
    "python_version": "3.11",
    "sys_platform": "linux",
}
"""What markers are asked about: an image's interpreter. No marker of a lock tells the two machines apart."""


@dataclass(frozen=True, slots=True)
class Locked:
    """A package of a lock file.

    Attributes:
        name: As the index normalizes it.
        version: The one version that is installed.
        hashes: SHA-256 of each file that may be installed, sorted.
        wanted_by: Who depends on it: other packages of the lock, and distributions of ours.
    """

    name: str
    version: str
    hashes: tuple[str, ...]
    wanted_by: frozenset[str]


def read_lock(text: str) -> tuple[Locked, ...]:
    """Everything that a lock file installs on Linux, by name.

    Args:
        text: The file, as ``uv export --format requirements-txt`` writes it.

    Raises:
        ValueError: an entry pins no version, or has no hash.
    """
    return tuple(sorted(_entries(text), key=lambda locked: locked.name))


def _entries(text: str) -> Iterator[Locked]:
    for head, tail in _ENTRY.findall(text):
        requirement = Requirement(head.removesuffix("\\").strip())
        pins = [each.version for each in requirement.specifier if each.operator == "=="]
        hashes = tuple(sorted(_HASH.findall(tail)))
        if len(pins) != 1 or not hashes:
            raise ValueError(f"{requirement.name} is not locked: it needs one version and its hashes")
        if requirement.marker is None or requirement.marker.evaluate(dict(LINUX)):
            yield Locked(requirement.name, pins[0], hashes, frozenset(_VIA.findall(tail)) - {"via"})


def needed_by(distribution: str, lock: tuple[Locked, ...]) -> tuple[Locked, ...]:
    """Everything of a lock that a distribution needs, and that what it needs needs in turn.

    Args:
        distribution: Its name.
        lock: Has to hold it all.
    """
    names, grown = {distribution}, True
    while grown:
        found = {each.name for each in lock if not names.isdisjoint(each.wanted_by)}
        grown = not found <= names
        names |= found
    return tuple(each for each in lock if each.name in names)
