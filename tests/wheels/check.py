"""The SDK's wheel in clean environments: ``python -m wheels.check uv dist`` in ``tests``.

Its dependencies are resolved, to wheels alone, for every Python of ``VERSIONS`` and every extra; then it is
installed and used on each of these interpreters that the machine has. Those it has not are named.
"""

import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

from wheels.interpreters import find

VERSIONS = ("3.11", "3.12", "3.13", "3.14")
PROJECT = Path(__file__).parents[2] / "producers" / "sdk" / "pyproject.toml"
BARE = Path(__file__).with_name("bare.py")
COMPLETE = Path(__file__).with_name("complete.py")


class Checker:
    """Runs what has to succeed.

    Args:
        uv: The command ``uv``.
        wheel: The wheel.
    """

    def __init__(self, uv: str, wheel: Path) -> None:
        self._uv = uv
        self._wheel = wheel

    def resolve(self, version: str, extra: str | None) -> int:
        """Resolve the dependencies for a version of Python; return how many there are."""
        extras = [f"--extra={extra}"] if extra else []
        wheels_only = ("--only-binary=:all:", "--no-header", "--no-annotate", f"--python-version={version}")
        resolved = self._run("pip", "compile", "--quiet", *wheels_only, *extras, str(PROJECT))
        return len(resolved.splitlines())

    def use(self, interpreter: Path, extras: list[str]) -> None:
        """Install the wheel into a new environment and use it: first as it is, then with all its extras."""
        with tempfile.TemporaryDirectory() as folder:
            python = Path(folder) / "bin" / "python"
            self._run("venv", "--quiet", f"--python={interpreter}", folder)
            self._install(python, str(self._wheel))
            run(str(python), "-I", "-W", "error", str(BARE), cwd=folder)
            self._install(python, f"{self._wheel}[{','.join(extras)}]", "pytest")
            self._run("pip", "check", "--quiet", f"--python={python}")
            apart = ("--noconftest", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", folder)
            run(str(python), "-I", "-B", "-m", "pytest", "-W", "error", *apart, str(COMPLETE), cwd=folder)

    def _install(self, python: Path, *requirements: str) -> None:
        self._run("pip", "install", "--quiet", "--only-binary=:all:", f"--python={python}", *requirements)

    def _run(self, *arguments: str) -> str:
        return run(self._uv, *arguments)


def run(*command: str, cwd: str | None = None) -> str:
    """What a command prints; one that fails ends this program with what it said."""
    ended = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if ended.returncode:
        sys.exit(f"{' '.join(command)}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def main(uv: str, dist: Path) -> None:
    """Check the one SDK wheel in a folder, and say what was checked."""
    (wheel,) = dist.glob("orderstream-[0-9]*.whl")
    checker = Checker(uv, wheel.resolve())
    extras = sorted(tomllib.loads(PROJECT.read_text())["project"]["optional-dependencies"])
    for version in VERSIONS:
        numbers = {extra or "none": checker.resolve(version, extra) for extra in (None, *extras)}
        listed = ", ".join(f"{extra} {number}" for extra, number in numbers.items())
        print(f"Python {version}: dependencies resolve to wheels, by extra: {listed}")
    for version in VERSIONS:
        interpreter = find(version)
        if interpreter is None:
            print(f"Python {version}: not on this machine, so the wheel was not installed")
            continue
        checker.use(interpreter, extras)
        print(f"Python {version}: installed, and used without and with its extras ({interpreter})")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
