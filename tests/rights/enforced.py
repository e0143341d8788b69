"""Runs the demo behind a gateway that refuses what the caller's role does not allow.

::

    make enforced             a run with the roles as they are: nothing is refused, and the books balance
    make enforced-small       the same, where each process has the one role of the size small
    make enforced-removals    five runs, each with one right less: each meets a refusal, which ends it

From ``tests/``: ``python -m rights.enforced [--small | --removals] [--limit 60]``.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from chaos.gateway import Gateway
from chaos.guard import Guard
from chaos.supervisor import Supervisor
from e2e.running import INVOICES, free_base_port, orderstream
from orderstream_playground.local.environment import EnvironmentOptions
from rights.policy import Policy
from rights.roles import bucket_policies, role_of_all, roles, without, without_role

_PATIENCE = 600.0
"""Seconds in which a run has to end."""


@dataclass(frozen=True, slots=True)
class Removal:
    """A right that a run has to do without.

    Attributes:
        process: Whose.
        action: What it may not do.
        resource: With what.
    """

    process: str
    action: str
    resource: str

    def applied(self, policies: Mapping[str, Policy]) -> Mapping[str, Policy]:
        """The roles without it."""
        role = without(policies[self.process], self.action, self.resource)
        assert role != policies[self.process], f"{self.process} has no such right"
        return {**policies, self.process: role}


_TABLE = "arn:aws:dynamodb:us-east-1:000000000000:table/orderstream-"
REMOVALS = (
    Removal("saga", "dynamodb:PutItem", f"{_TABLE}saga-orders"),
    Removal("inventory", "dynamodb:UpdateItem", f"{_TABLE}stock"),
    Removal("shipping", "kinesis:PutRecords", "arn:aws:kinesis:us-east-1:000000000000:stream/orders"),
    Removal("payment-worker", "sqs:DeleteMessage", "arn:aws:sqs:us-east-1:000000000000:orderstream-payments"),
    Removal("archiver", "s3:PutObject", "arn:aws:s3:::orderstream-archive/*"),
)
"""One of each service and each kind of work."""


def refusals(policies: Mapping[str, Policy], limit: int, *, until_refused: bool) -> tuple[list[str], int]:
    """Run the demo once.

    Args:
        policies: The roles.
        limit: Invoices.
        until_refused: End it at the first refusal, which says all there is to know.

    Returns:
        What was refused, each kind once, and the demo's exit status.
    """
    guard = Guard(policies, bucket_policies(), without_role())
    options = EnvironmentOptions(base_port=free_base_port())
    with tempfile.TemporaryDirectory(prefix="enforced-") as folder, Gateway(guard=guard) as gateway:
        home = Path(folder) / "home"
        supervisor = Supervisor(home, options, gateway, {})
        supervisor.up()
        try:
            arguments = ("demo", "--orders", str(INVOICES), "--limit", str(limit), "--no-progress")
            demo = subprocess.Popen(orderstream(home, options.base_port, *arguments))
            deadline = time.monotonic() + _PATIENCE
            while demo.poll() is None and time.monotonic() < deadline:
                if until_refused and guard.refusals:
                    break
                time.sleep(0.2)
            demo.kill()
            demo.wait()
        finally:
            supervisor.down()
    return sorted({str(refusal) for refusal in guard.refusals}), demo.returncode


def main() -> int:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(description="Run the demo with the synthesized roles enforced.")
    parser.add_argument("--small", action="store_true", help="the one role of the size small for all of them")
    parser.add_argument("--removals", action="store_true", help="five runs, each with one right less")
    parser.add_argument("--limit", type=int, default=60, help="invoices of each run")
    given = parser.parse_args()
    if not given.removals:
        policies = dict.fromkeys(roles(), role_of_all()) if given.small else roles()
        refused, status = refusals(policies, given.limit, until_refused=False)
        print(*refused, f"{len(refused)} kinds of calls were refused", sep="\n")
        return 1 if refused or status else 0
    unnoticed = 0
    for removal in REMOVALS:
        refused, _ = refusals(removal.applied(roles()), given.limit, until_refused=True)
        noticed = bool(refused) and all(f"perform: {removal.action} on" in one for one in refused)
        unnoticed += not noticed
        print(f"{'noticed' if noticed else 'NOT noticed'}: {removal}", *refused, sep="\n", flush=True)
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
