"""The emulator of DynamoDB, SQS, S3, SES and SNS: ministack, in an environment of its own.

It pins another botocore than we use, so it cannot live in ours. ``ministack.lock`` names every package with
its hash; the environment is made once per lock file, inside the environment that runs us: what is deleted
with a checkout's folder takes it along.
"""

import hashlib
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

import uv

from orderstream_playground.local.errors import LocalEnvironmentError


class EmulatorInstallError(LocalEnvironmentError):
    """The emulator could not be installed.

    Args:
        folder: Where it was to be.
        reason: What uv, or the file system, says.
    """

    def __init__(self, folder: Path, reason: str) -> None:
        self.folder = folder
        self.reason = reason
        super().__init__(f"ministack could not be installed into {folder}: {reason}")


def ensure_ministack(prefix: Path | None = None) -> Path:
    """Install ministack unless this very lock file is installed already.

    Args:
        prefix: The environment that it is put into; by default the one that runs us.

    Returns:
        The Python interpreter of its environment.

    Raises:
        EmulatorInstallError: it could not be installed.
    """
    lock = Path(str(files("orderstream_playground.local") / "ministack.lock"))
    digest = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = (prefix or Path(sys.prefix)) / "share" / "orderstream"
    environment = folder / f"ministack-{digest}"
    interpreter = environment / "bin" / "python"
    marker = environment / ".complete"
    if not marker.exists():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            variables = uv_environment(os.environ, folder)
            _uv(
                variables, "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(environment)
            )
            locked = ("--require-hashes", "--python", str(interpreter), "-r", str(lock))
            _uv(variables, "pip", "install", "--quiet", *locked)
            marker.touch()
        except OSError as error:
            raise EmulatorInstallError(folder, str(error)) from error
        except subprocess.CalledProcessError as error:
            raise EmulatorInstallError(folder, str(error.stderr).strip()) from error
    return interpreter


def uv_environment(surrounding: Mapping[str, str], folder: Path) -> dict[str, str]:
    """The variables that uv runs with: the caller's, certificates of the system, a cache that can be written.

    Args:
        surrounding: The caller's variables; what they say wins.
        folder: Has room for a cache, where the user's own folder has none.
    """
    # A proxy that inspects TLS signs with a certificate that the system knows, and uv's own list does not.
    # Compiled once, here: who forbids Python to write bytecode would wait for it at every start.
    defaults = {"UV_SYSTEM_CERTS": "true", "UV_PYTHON_DOWNLOADS": "never", "UV_COMPILE_BYTECODE": "true"}
    variables = defaults | dict(surrounding)
    # What another environment of the caller's says of interpreters is not meant for this one.
    variables.pop("UV_PYTHON", None)
    if "UV_CACHE_DIR" not in variables:
        home = variables.get("XDG_CACHE_HOME") or str(
            Path(variables.get("HOME") or "~").expanduser() / ".cache"
        )
        if not _writable(Path(home) / "uv"):
            variables["UV_CACHE_DIR"] = str(folder / "uv-cache")
    return variables


def ministack_command(interpreter: Path, port: int) -> tuple[str, ...]:
    """The command that serves ministack on the loopback interface, one worker as it demands."""
    return (
        *(str(interpreter), "-m", "uvicorn", "ministack.app:app", "--host", "127.0.0.1", "--port", str(port)),
        *("--loop", "uvloop", "--http", "httptools", "--no-access-log"),
        # boto3 keeps its connections, and one that the server ends is only noticed when it is used next.
        *("--timeout-keep-alive", "3600", "--timeout-graceful-shutdown", "2"),
    )


def ministack_environment(port: int) -> dict[str, str]:
    """Its settings: loopback only, and none of the servers that are not needed here."""
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
    }


def _writable(folder: Path) -> bool:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return False
    return os.access(folder, os.W_OK)


def _uv(variables: Mapping[str, str], *arguments: str) -> None:
    subprocess.run(  # noqa: S603 - our own arguments
        (uv.find_uv_bin(), *arguments), capture_output=True, text=True, check=True, env=variables
    )
