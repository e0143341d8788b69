"""The emulator of DynamoDB, SQS, S3, SES and SNS: ministack, in an environment of its own.

It pins another botocore than we use, so it cannot live in ours. ``ministack.lock`` names every package with
its hash; the environment is made once per lock file and kept in the user's cache.
"""

import hashlib
import os
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import uv

from orderstream_workers.local.errors import LocalEnvironmentError


def ensure_ministack() -> Path:
    """Install ministack unless this very lock file is installed already.

    Returns:
        The Python interpreter of its environment.

    Raises:
        LocalEnvironmentError: it could not be installed.
    """
    lock = Path(str(files("orderstream_workers.local") / "ministack.lock"))
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    environment = _cache_folder() / f"ministack-{digest}"
    interpreter = environment / "bin" / "python"
    marker = environment / ".complete"
    if not marker.exists():
        _uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment))
        _uv("pip", "install", "--quiet", "--require-hashes", "--python", str(interpreter), "-r", str(lock))
        marker.touch()
    return interpreter


def ministack_command(interpreter: Path, port: int) -> tuple[str, ...]:
    """The command that serves ministack on the loopback interface, one worker as it demands."""
    return (
        *(str(interpreter), "-m", "uvicorn", "ministack.app:app", "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        # boto3 keeps its connections, and one that the server ends is only noticed when it is used next.
        *("--timeout-keep-alive", "3600", "--timeout-graceful-shutdown", "2"),
    )


def ministack_environment(port: int) -> dict[str, str]:
    """Its settings: loopback only, and none of the servers that nobody here needs."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orderstream"


def _uv(*arguments: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own arguments
        (uv.find_uv_bin(), *arguments), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise LocalEnvironmentError(
            f"ministack could not be installed ({done.stderr.strip()}); check the network and try again"
        )
