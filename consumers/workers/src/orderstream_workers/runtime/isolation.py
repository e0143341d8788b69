"""The environment variables of a process that works on emulators of this machine, and on nothing else.

A shell's own ``AWS_ENDPOINT_URL_DYNAMODB``, its profile or its proxy must not reach such a process: it would
read another environment's tables, or ask a proxy for the loopback interface.
"""

import os
from collections.abc import Mapping
from typing import Final

_FOREIGN: Final = ("AWS_", "ORDERSTREAM_")

_LOOPBACK: Final = "127.0.0.1,localhost"


def isolated(surrounding: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """The variables to run with.

    Args:
        surrounding: What the caller was started with: its ``AWS_*`` and ``ORDERSTREAM_*`` are left out.
        own: What the local environment says instead.

    Returns:
        ``surrounding`` without the variables of other environments, no proxy for loopback, then ``own``.
    """
    kept = {name: value for name, value in surrounding.items() if not name.startswith(_FOREIGN)}
    # Programs differ in which spelling they read first, so both say the same.
    direct = surrounding.get("no_proxy") or surrounding.get("NO_PROXY") or ""
    if direct != "*":
        direct = ",".join(filter(None, (direct, _LOOPBACK)))
    # A profile in the user's files may name endpoints and signing of its own.
    files = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}
    return kept | {"no_proxy": direct, "NO_PROXY": direct} | files | dict(own)


def isolate_this_process(own: Mapping[str, str]) -> None:
    """Give this process the variables of ``isolated``. For a command, before it makes its first client.

    Args:
        own: See ``isolated``.
    """
    variables = isolated(os.environ, own)
    os.environ.clear()
    os.environ.update(variables)
