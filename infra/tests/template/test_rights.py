"""Each process has a role that allows what the declaration says that it needs, and nothing else.

That runs need all of it, and nothing more, is shown over recorded calls: ``tests/unit/rights``.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from policies import FILE, rendered, role_of_all, roles_of

from conftest import DEPLOYMENT
from orderstream_infra.rights import rights_of
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Process, Topology


def granted(process: Process, settings: Settings) -> set[tuple[str, str]]:
    """Pairs of an action and what it is done with, such as ``sqs:SendMessage`` and a queue's name."""
    return {
        (f"{right.service}:{action}", "*" if right.kind == "identity" else right.name.rpartition(":")[2])
        for right in rights_of(process, settings)
        for action in right.actions
    }


def test_the_file_of_policies_is_that_of_the_templates(
    templates: Mapping[str, Any], small: Mapping[str, Any]
) -> None:
    """What runs are refused by, and recorded calls are compared with, is what is deployed.

    ``make infra-policies`` writes it anew.
    """
    assert FILE.read_text(encoding="utf-8") == rendered(templates, small)


def named(declared: Topology, name: str) -> Process:
    return next(process for process in declared.processes if process.name == name)


def test_the_template_grants_exactly_these_rights(
    templates: Mapping[str, Any], declared: Topology, settings: Settings
) -> None:
    """Role for role, the synthesized statements are the rights, and the use of the key that they imply."""
    found = roles_of(templates)
    assert sorted(found) == sorted(process.name for process in declared.processes)
    for process in declared.processes:
        in_template = {
            (action, _name(resource))
            for statement in found[process.name]
            for action in _listed(statement["Action"])
            for resource in _listed(statement["Resource"])
            if not action.startswith("kms:")
        }
        assert in_template == granted(process, settings), process.name


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def _name(arn: str) -> str:
    return "*" if ":ses:" in arn else re.split(r"[:/]", arn.removesuffix("/*"))[-1]


def test_no_role_names_a_wildcard(templates: Mapping[str, Any]) -> None:
    """No action is a pattern, and only what knows no resource is allowed for every resource."""
    for statements in roles_of(templates).values():
        for statement in statements:
            assert not [action for action in _listed(statement["Action"]) if "*" in action]
            if "*" in _listed(statement["Resource"]):
                assert statement["Action"] == "ses:GetIdentityVerificationAttributes"


def test_the_key_is_used_for_what_a_role_may_reach(templates: Mapping[str, Any]) -> None:
    """Each use of the key is bound to one resource by its encryption context; a writer does not read."""
    for process, statements in roles_of(templates).items():
        uses = [statement for statement in statements if "kms:" in str(statement["Action"])]
        assert uses, process
        for use in uses:
            ((context, values),) = use["Condition"]["StringEquals"].items()
            assert context.startswith(("kms:EncryptionContext:aws:", "kms:EncryptionContext:SecretARN"))
            for value in _listed(values):
                assert "*" not in value
                done = {
                    action
                    for other in statements
                    for action in _listed(other["Action"])
                    if value in _listed(other["Resource"])
                }
                if done and "kinesis:GetRecords" not in done and context.endswith("kinesis:arn"):
                    assert use["Action"] == "kms:GenerateDataKey"


def test_a_role_fits(templates: Mapping[str, Any], small: Mapping[str, Any]) -> None:
    """IAM takes 10,240 characters of policies in a role; ARNs of another account and region are as long."""
    for statements in (*roles_of(templates).values(), role_of_all(small)):
        assert len(json.dumps(statements, separators=(",", ":"))) < 9_000


def test_who_reads_a_stream_decrypts_no_other(templates: Mapping[str, Any], declared: Topology) -> None:
    """The stock monitor reads the changes of the stock and writes messages: it cannot decrypt a message."""
    monitor = named(declared, "stock-monitor")
    statements = roles_of(templates)[monitor.name]
    context = "kms:EncryptionContext:aws:kinesis:arn"
    decrypted = [
        statement["Condition"]["StringEquals"][context]
        for statement in statements
        if "kms:Decrypt" in _listed(statement["Action"]) and context in statement["Condition"]["StringEquals"]
    ]
    where = f"{DEPLOYMENT.region}:{DEPLOYMENT.account}"
    assert [_listed(arns) for arns in decrypted] == [[f"arn:aws:kinesis:{where}:stream/stock-changes"]]
