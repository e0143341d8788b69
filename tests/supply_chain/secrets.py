"""Looks for secrets in every file that is under version control: ``python -m supply_chain.secrets``.

A word that only looks like one is listed with its reason. Strings that are merely random are not looked for:
lock files, recorded streams and tests are full of digests and ids.
"""

import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import default_settings

from supply_chain.lock import ROOT

_REASONS: Mapping[str, tuple[str, ...]] = {
    "an emulator takes any key": ("any", "benchmark", "fake", "local", "secret", "test", "testing"),
    "the name of one": (
        "SecretARN",
        "arn:of:it",
        "read-model",
    ),
    "what a test's caller tries and is refused for": ("guess",),
    "a test's password, which must not be shown": ("hidden", "hush"),
    "the containers of one machine, on its loopback": ("the-secret-of-this-machine-s-gateway",),
}

EXAMPLES: Mapping[str, str] = {word: reason for reason, words in _REASONS.items() for word in words}
"""What looks like a secret and opens nothing, with the reason."""

_BINARY = frozenset({".gz", ".png", ".svg"})
_NOISY = ("Base64HighEntropyString", "HexHighEntropyString")


@dataclass(frozen=True, slots=True)
class Suspect:
    """A word that looks like a secret.

    Attributes:
        file: Where it is.
        line: On which line, from 1.
        kind: What it looks like.
        word: Itself; never shown.
    """

    file: Path
    line: int
    kind: str
    word: str

    def __str__(self) -> str:
        """For a person: where to look."""
        return f"{self.file}:{self.line}: {self.kind}"


def tracked(root: Path) -> list[Path]:
    """Every text file that is under version control."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)
    paths = [root / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.suffix not in _BINARY and path.is_file()]


def suspects(files: Iterable[Path]) -> Iterator[Suspect]:
    """Every word in files that looks like a secret. Nobody is asked whether it is one."""
    with default_settings() as settings:
        settings.disable_plugins(*_NOISY)
        for file in files:
            for found in scan_file(str(file)):
                yield Suspect(file, found.line_number, found.type, found.secret_value or "")


def main() -> int:
    """Name what looks like a secret and has no reason, and each reason that nothing needs any more."""
    found = list(suspects(tracked(ROOT)))
    unexplained = [str(each) for each in found if each.word not in EXAMPLES]
    outdated = [f"outdated reason: {word}" for word in EXAMPLES.keys() - {each.word for each in found}]
    print(*unexplained, *outdated, f"{len(unexplained)} suspects, {len(outdated)} outdated reasons", sep="\n")
    return 1 if unexplained or outdated else 0


if __name__ == "__main__":
    sys.exit(main())
