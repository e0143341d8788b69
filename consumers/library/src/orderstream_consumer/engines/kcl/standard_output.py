"""Standard output is the protocol under MultiLangDaemon; whatever else prints must not break it.

This module imports nothing of ours: it has to act before anything that could print is imported.
"""

import os
from typing import TextIO


def take_protocol() -> tuple[TextIO, TextIO]:
    """Keep standard input and output for the protocol alone.

    Descriptor 1 becomes a duplicate of standard error and descriptor 0 the null device, so that neither a
    ``print`` nor a library in C nor a subprocess can reach the daemon. A lost or torn status line would hang
    the shard.

    Returns:
        What the daemon writes to us, and what we write to it: private duplicates, not inherited by children.
    """
    from_daemon = os.fdopen(os.dup(0), "r", encoding="utf-8")
    to_daemon = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    return from_daemon, to_daemon
