"""Why a process cannot listen where its settings say."""

from orderstream.errors import OrderstreamError


class ListenError(OrderstreamError):
    """An address cannot be listened on.

    Args:
        what: What would be served there, e.g. ``"the API"``.
        host: The address.
        port: The port.
        reason: Why not.
        remedy: What a person does about it, e.g. ``"choose another one with --port"``.
    """

    def __init__(self, what: str, host: str, port: int, reason: str, remedy: str) -> None:
        self.what = what
        self.host = host
        self.port = port
        self.reason = reason
        self.remedy = remedy
        super().__init__(
            f"{what} cannot listen on {host}:{port} ({reason}); free the port or {remedy}, then start again"
        )
