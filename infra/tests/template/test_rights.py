"""Each process has a role that allows what the process was seen to need, and nothing else."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from conftest import DEPLOYMENT
from orderstream_infra.rights import rights_of
from orderstream_infra.stacks.workers import waiting_for_a_database
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Process, Topology

RECORDED = json.loads((Path(__file__).parents[1] / "recording" / "recorded-calls.json").read_bytes())

# Rights that no recorded run has used yet, each with the run that would need it.
NOT_RECORDED = {
    ("dynamodb:DeleteItem", "leases"): "resharding: the leases of ended shards are deleted",
    ("dynamodb:PutItem", "parking"): "a record that fails by itself: it is parked",
    (
        "dynamodb:ConditionCheckItem",
        "parking",
    ): "a second record of a parked key: the first must still be there",
}

Needed = frozenset[tuple[str, str]]
"""Pairs of an action and what it is done with, such as ``sqs:SendMessage`` and a queue's name."""


def granted(process: Process, settings: Settings) -> Needed:
    return frozenset(
        (f"{right.service}:{action}", _plain(right.kind, right.name))
        for right in rights_of(process, settings)
        for action in right.actions
    )


def recorded(process: Process) -> Needed:
    """What a process was seen to need, over all runs."""
    found = set()
    for run in RECORDED.values():
        for words, resources in run.items():
            if words.split()[: len(process.command)] == list(process.command):
                found |= {(action, name) for name, actions in resources.items() for action in actions}
    return frozenset(found)


def _plain(kind: str, name: str) -> str:
    """A name as a run's record has it: it was made with the default settings."""
    if kind == "topic":
        return name.rpartition(":")[2]
    if kind == "identity":
        return "*"
    return name.removesuffix(f"-{DEPLOYMENT.account}-{DEPLOYMENT.region}")


def missing(process: Process, settings: Settings) -> Needed:
    return recorded(process) - granted(process, settings)


def spare(process: Process, settings: Settings) -> Needed:
    """What is granted, was not recorded, and has no reason."""
    unused = granted(process, settings) - recorded(process)
    return frozenset((action, name) for action, name in unused if (action, _role(name)) not in NOT_RECORDED)


def _role(name: str) -> str:
    if name.endswith("-consumer"):
        return "leases"
    return name.removeprefix("orderstream-")


@pytest.fixture(scope="module")
def processes(declared: Topology) -> tuple[Process, ...]:
    return declared.processes


def test_every_process_is_recorded(processes: tuple[Process, ...]) -> None:
    """A process that no run has recorded would have its rights by hearsay."""
    assert [process.name for process in processes if not recorded(process)] == []


def test_nothing_is_missing(processes: tuple[Process, ...], settings: Settings) -> None:
    """A process may do all that it was seen to do."""
    assert {process.name: missing(process, settings) for process in processes} == {
        process.name: frozenset() for process in processes
    }


def test_nothing_is_spare(processes: tuple[Process, ...], settings: Settings) -> None:
    """A process may do nothing that no run has needed, but for what has a reason."""
    assert {process.name: spare(process, settings) for process in processes} == {
        process.name: frozenset() for process in processes
    }


def test_each_reason_still_holds(processes: tuple[Process, ...], settings: Settings) -> None:
    """A reason for what is recorded by now, or granted to nobody, is outdated."""
    unused = {
        (action, _role(name))
        for process in processes
        for action, name in granted(process, settings) - recorded(process)
    }
    assert set(NOT_RECORDED) <= unused


def test_a_widened_right_and_a_removed_one_are_found(declared: Topology, settings: Settings) -> None:
    """The comparison can fail: a role of another application has spare rights, and lacks some."""
    saga, inventory = (named(declared, name) for name in ("saga", "inventory"))
    assert recorded(saga) - granted(inventory, settings)
    assert granted(inventory, settings) - recorded(saga)


def named(declared: Topology, name: str) -> Process:
    return next(process for process in declared.processes if process.name == name)


def policies(template: Mapping[str, Any]) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The statements of each process's role, by the process's name."""
    for resource in template["Resources"].values():
        name = resource["Properties"].get("RoleName") if resource["Type"] == "AWS::IAM::Role" else None
        if name is not None:
            process = name.removeprefix("orderstream-").removesuffix(f"-{DEPLOYMENT.region}")
            (policy,) = resource["Properties"]["Policies"]
            yield process, policy["PolicyDocument"]["Statement"]


def test_the_template_grants_exactly_these_rights(
    templates: Mapping[str, Any], declared: Topology, settings: Settings
) -> None:
    """Role for role, the synthesized statements are the rights, and the use of the key that they imply."""
    found = dict(policies(templates["orderstream-workers"]))
    deployed = [process for process in declared.processes if not waiting_for_a_database(process)]
    assert sorted(found) == sorted(process.name for process in deployed)
    for process in deployed:
        in_template = {
            (action, _name(statement["Resource"]))
            for statement in found[process.name]
            for action in _listed(statement["Action"])
            if not action.startswith("kms:")
        }
        assert in_template == granted(process, settings), process.name


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _name(arn: str) -> str:
    return "*" if ":ses:" in arn else _plain("bucket", re.split(r"[:/]", arn.removesuffix("/*"))[-1])


def test_no_role_names_a_wildcard(templates: Mapping[str, Any]) -> None:
    """No action is a pattern, and only what knows no resource is allowed for every resource."""
    for _, statements in policies(templates["orderstream-workers"]):
        for statement in statements:
            assert not [action for action in _listed(statement["Action"]) if "*" in action]
            if statement["Resource"] == "*":
                assert statement["Action"] == "ses:GetIdentityVerificationAttributes"


def test_the_key_is_used_for_what_a_role_may_reach(templates: Mapping[str, Any]) -> None:
    """Each use of the key is bound to one resource by its encryption context; a writer does not read."""
    for process, statements in policies(templates["orderstream-workers"]):
        uses = [statement for statement in statements if "kms:" in str(statement["Action"])]
        assert uses, process
        for use in uses:
            ((context, value),) = use["Condition"]["StringEquals"].items()
            assert context.startswith("kms:EncryptionContext:aws:")
            assert "*" not in value
            writes = {
                action
                for other in statements
                for action in _listed(other["Action"])
                if other["Resource"] == value
            }
            if writes and "kinesis:GetRecords" not in writes and context.endswith("kinesis:arn"):
                assert use["Action"] == "kms:GenerateDataKey"


def test_who_reads_a_stream_decrypts_no_other(templates: Mapping[str, Any], declared: Topology) -> None:
    """The stock monitor reads the changes of the stock and writes messages: it cannot decrypt a message."""
    monitor = named(declared, "stock-monitor")
    statements = dict(policies(templates["orderstream-workers"]))[monitor.name]
    decrypted = [
        statement["Condition"]["StringEquals"].get("kms:EncryptionContext:aws:kinesis:arn")
        for statement in statements
        if "kms:Decrypt" in _listed(statement["Action"])
    ]
    assert [arn for arn in decrypted if arn] == [
        f"arn:aws:kinesis:{DEPLOYMENT.region}:{DEPLOYMENT.account}:stream/stock-changes"
    ]
