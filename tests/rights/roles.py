"""The roles that the stacks synthesize, under the names of the local environment."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from rights.asked import ACCOUNT, REGION
from rights.policy import Policy, Statement

POLICIES = Path(__file__).parents[2] / "infra" / "policies.json"
"""Written by ``make infra-policies``; the tests of ``infra/`` compare it with the templates."""


def roles() -> Mapping[str, Policy]:
    """Each process's policy, by the process's name."""
    return {name: _read(documents) for name, documents in _local()["roles"].items()}


def role_of_all() -> Policy:
    """The policy of the one role that all processes have in the size ``small``."""
    return _read(_local()["small"])


def bucket_policies() -> Policy:
    """The statements of every bucket's policy."""
    return _read(_local()["buckets"])


def _local() -> Mapping[str, Any]:
    """The file, with everything called as it is on this machine."""
    text = POLICIES.read_text(encoding="utf-8")
    account, region = (json.loads(text)[name] for name in ("account", "region"))
    # A bucket's name is unique in all of AWS by its account and region, which are left out here.
    local = text.replace(f"-{account}-{region}", "").replace(account, ACCOUNT).replace(region, REGION)
    found: Mapping[str, Any] = json.loads(local)
    return found


def _read(documents: list[Mapping[str, Any]]) -> Policy:
    return tuple(Statement.of(document) for document in documents)


def without_role() -> frozenset[str]:
    """The processes that are not deployed yet."""
    return frozenset(process.name for process in topology(Settings()).processes) - roles().keys()


def without(policy: Policy, action: str, resource: str) -> Policy:
    """A policy without one action on one resource."""
    return tuple(left for statement in policy for left in statement.without(action, resource))
