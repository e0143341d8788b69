"""``python -m orderstream_workers.probe``: does the process in this container respond? For ``HEALTHCHECK``.

An unhealthy container is replaced, which ends no outage of what it works with: whether it gets anything done
is for ``/health/ready`` to say, to those who watch. It asks ``/health/live`` on the loopback interface, at
``ORDERSTREAM_HEALTH_PORT``, and ends with 0 or 1. It imports nothing but the standard library: it runs every
few seconds beside the process itself.
"""

import os
import sys
import urllib.request
from http.client import HTTPException

_TIMEOUT = 3.0

_DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""A proxy that the container's HTTP_PROXY names cannot reach the container's loopback interface."""


def main() -> int:
    """Ask; returns the exit status."""
    port = os.environ.get("ORDERSTREAM_HEALTH_PORT", "")
    if not port.isdecimal():
        print("ORDERSTREAM_HEALTH_PORT must be the port of /health", file=sys.stderr)  # noqa: T201
        return 1
    try:
        with _DIRECT.open(f"http://127.0.0.1:{port}/health/live", timeout=_TIMEOUT):
            return 0
    except (OSError, HTTPException) as error:
        print(f"no response: {error}", file=sys.stderr)  # noqa: T201
        return 1


if __name__ == "__main__":
    sys.exit(main())
