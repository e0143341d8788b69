"""The Python interpreters that this machine really has."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path


def find(version: str) -> Path | None:
    """Find an interpreter, on the path or among pyenv's; a launcher that starts none does not count.

    Args:
        version: Its major and minor version, such as ``"3.12"``.
    """
    return next((path for path in _candidates(version) if _runs(path, version)), None)


def _candidates(version: str) -> Iterator[Path]:
    on_path = shutil.which(f"python{version}")
    if on_path:
        yield Path(on_path)
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from sorted(root.glob(f"versions/{version}.*/bin/python"))


def _runs(path: Path, version: str) -> bool:
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    response = subprocess.run([path, "-c", ask], capture_output=True, text=True, check=False)
    return response.returncode == 0 and response.stdout.strip() == version
