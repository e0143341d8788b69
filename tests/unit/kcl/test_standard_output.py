"""Nothing but the protocol reaches the daemon."""

import subprocess
import sys

_SCRIPT = """
import os, subprocess, sys
from orderstream_consumer.engines.kcl.standard_output import take_protocol
from_daemon, to_daemon = take_protocol()
print("a library prints")
os.write(1, b"so does one in C\\n")
subprocess.run([sys.executable, "-c", "print('and a subprocess')"], check=True)
assert sys.stdin.read() == ""
to_daemon.write("answer to " + from_daemon.readline())
to_daemon.flush()
"""


def test_only_the_protocol_reaches_the_daemon() -> None:
    """Prints, writes to descriptor 1 and subprocesses go to standard error; the protocol stays clean."""
    ended = subprocess.run(
        [sys.executable, "-c", _SCRIPT], input="initialize\n", capture_output=True, text=True, check=True
    )
    assert ended.stdout == "answer to initialize\n"
    for line in ("a library prints", "so does one in C", "and a subprocess"):
        assert line in ended.stderr
