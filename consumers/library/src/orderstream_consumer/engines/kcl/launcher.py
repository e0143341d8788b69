"""Becomes another program that dies with its parent: ``python -m ...kcl.launcher PID COMMAND ...``.

A worker that is killed must not leave a daemon behind that goes on processing. Linux sends the signal; it is
asked for here, in a process of one thread, and holds across ``exec`` (prctl(2), PR_SET_PDEATHSIG). On other
systems the shard processes notice by their channel, and the daemon ends with the first of them.
"""

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Become the program that the arguments name."""
    parent, program = int(sys.argv[1]), sys.argv[2:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            sys.exit("the worker has ended already")
    os.execv(program[0], program)  # noqa: S606 - the daemon's own command


if __name__ == "__main__":
    main()
