"""Runs the compiled sink, and asks it what it was given."""

import socket
import ssl
import subprocess
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def sink(program: str, *, tls: bool = False) -> Iterator[str]:
    """Run a sink on a free port and yield its URL.

    Args:
        program: The compiled sink.
        tls: Whether it serves TLS, with a certificate of its own making.
    """
    with socket.socket() as probe, tempfile.TemporaryDirectory() as directory:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        files = certificate(Path(directory)) if tls else []
        process = subprocess.Popen([program, str(port), *files], stdout=subprocess.PIPE, text=True)
        assert process.stdout
        try:
            process.stdout.readline()
            yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()


def certificate(directory: Path) -> list[str]:
    """Make a self-signed certificate for the loopback address; return the files of it and of its key."""
    files = [str(directory / "certificate.pem"), str(directory / "key.pem")]
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"),
            *("-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"),
            *("-out", files[0], "-keyout", files[1]),
        ],
        check=True,
        capture_output=True,
    )
    return files


def taken(url: str) -> Iterator[bytes]:
    """Give a sink's lines, one for each Kinesis record that it was given since the last time."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    with urllib.request.urlopen(
        f"{url}/taken", context=context if url.startswith("https") else None
    ) as lines:
        yield from lines
