"""One call of one adapter, and the clients of the server that it is made to."""

import json
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import boto3
import httpx
from botocore.config import Config

from chaos.calls import Call
from hostile.responses import Odd, Wire, good

Make = Callable[["Clients"], Callable[[], object]]
"""Gives a call, for a server's clients."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One call of one adapter.

    Attributes:
        name: Adapter and operation.
        wire: How its service speaks.
        operation: As ``Call`` names it, or how its name begins.
        make: Gives the call, for a server's clients. The call raises what the adapter raises.
        good: What the service responds to it.
        before: What the service responds to the calls that come first, by operation: always the same, or
            one after the other, the last one from then on.
        members: Members of the response that it reads.
        fine: Names of responses that say, by the protocol's own rules, that there is nothing.
    """

    name: str
    wire: Wire
    operation: str
    make: Make
    good: Odd
    before: Mapping[str, Odd | tuple[Odd, ...]] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    fine: frozenset[str] = frozenset()

    def __str__(self) -> str:
        """Its name."""
        return self.name

    def respond(self, odd: Odd) -> Callable[[Call], Odd]:
        """Respond with this to the operation itself, and as the service would to all others."""
        coming = {name: [said] if isinstance(said, Odd) else list(said) for name, said in self.before.items()}

        def chosen(call: Call) -> Odd:
            if call.operation.startswith(self.operation):
                return odd
            left = next(
                (each for name, each in coming.items() if call.operation.startswith(name)), [self.good]
            )
            return left.pop(0) if len(left) > 1 else left[0]

        return chosen


class Clients(ExitStack):
    """Clients of one server, closed at the end.

    Args:
        url: Where the server is.
        patience: Seconds that they wait for a response.
    """

    def __init__(self, url: str, patience: float = 30.0) -> None:
        super().__init__()
        self.url = url
        self.patience = patience

    def aws(self, service: str) -> Any:
        """A boto3 client without retries of its own, as every adapter wants it."""
        made = boto3.client(
            service,
            endpoint_url=self.url,
            region_name="us-east-1",
            aws_access_key_id="x",
            aws_secret_access_key="x",
            config=Config(
                retries={"total_max_attempts": 1},
                read_timeout=self.patience,
                s3={"addressing_style": "path"},
            ),
        )
        self.callback(made.close)
        return made

    def http(self) -> httpx.Client:
        """A client for everything else."""
        return self.enter_context(httpx.Client(trust_env=False, timeout=self.patience))


def said(content: object) -> Odd:
    """What a service with JSON says."""
    return good(Wire.JSON, json.dumps(content).encode())
