"""How a server of the local environment runs in a process of its own."""

import signal
from typing import Any

import uvicorn


def serve(app: Any, host: str, port: int) -> None:
    """Serve until SIGTERM, then end with status 0.

    Args:
        app: An ASGI application.
        host: The address to listen on.
        port: The port.
    """
    # uvicorn raises the signal again once it has shut down: without a handler that would be the exit status.
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.run(app, host=host, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=2)
