"""Why the local environment does not start or is not there."""

from orderstream.errors import OrderstreamError


class LocalEnvironmentError(OrderstreamError):
    """The local environment cannot do what was asked.

    Args:
        reason: What is wrong, and what to do.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(reason)


class PortTakenError(LocalEnvironmentError):
    """Another program listens where a process of ours should.

    Args:
        name: The process that would have listened.
        port: The TCP port.
    """

    def __init__(self, name: str, port: int) -> None:
        self.name = name
        self.port = port
        super().__init__(
            f"port {port}, meant for {name}, is taken; stop what listens there, "
            "or choose other ports with --base-port or ORDERSTREAM_BASE_PORT"
        )


class StartFailedError(LocalEnvironmentError):
    """A process ended, or did not become healthy in time.

    Args:
        name: The process.
        why: What was seen.
        log: The file of what it printed.
        tail: Its last lines.
    """

    def __init__(self, name: str, why: str, log: str, tail: str) -> None:
        self.name = name
        self.why = why
        self.log = log
        super().__init__(f"{name} {why}; its last lines, from {log}:\n{tail}")
