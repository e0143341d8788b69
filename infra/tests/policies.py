"""What the templates allow, as a file that runs of the pipeline read: ``python tests/policies.py``.

It writes the kept templates, too.
"""

import json
import re
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from billed import keep

from conftest import DEPLOYMENT, SIZES, templates_in
from orderstream_infra.app import pipeline, settings_of

FILE = Path(__file__).parents[1] / "policies.json"

DATA = Path(__file__).parents[1] / "orderstream-data.template.json"
"""The template of what holds orders, which a local environment can be provisioned from."""

_SECRET = re.compile(
    r'\{"Fn::ImportValue": "[^"]*SecretArn[^"]*"\}'
    r'|\{"Fn::GetAtt": \["[^"]*", "MasterUserSecret.SecretArn"\]\}'
)

Templates = Mapping[str, Mapping[str, Any]]


def roles_of(templates: Templates) -> dict[str, list[dict[str, Any]]]:
    """The statements of each process's role, by the process's name."""
    found = statements_by_role(templates["orderstream-workers"]["Resources"])
    return {process: list(map(_with_the_secret, statements)) for process, statements in found.items()}


def statements_by_role(resources: Mapping[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The statements of each role that has a name, by its task's."""
    found = {}
    for resource in resources.values():
        name = resource["Properties"].get("RoleName") if resource["Type"] == "AWS::IAM::Role" else None
        if name is not None:
            process = name.removeprefix("orderstream-").removesuffix(f"-{DEPLOYMENT.region}")
            (policy,) = resource["Properties"]["Policies"]
            found[process] = policy["PolicyDocument"]["Statement"]
    return found


def role_of_all(small: Templates) -> list[dict[str, Any]]:
    """The statements of the one role of the size ``small``."""
    found = statements_by_role(small["orderstream-small"]["Resources"])
    return list(map(_with_the_secret, found["small"]))


def _with_the_secret(statement: dict[str, Any]) -> dict[str, Any]:
    """A statement in which the secret that Amazon RDS makes has a name."""
    name = settings_of(DEPLOYMENT).read_model_secret
    text = json.dumps(statement)
    for reference in _SECRET.findall(text):
        text = text.replace(reference, json.dumps(name))
    resolved: dict[str, Any] = json.loads(text)
    return resolved


def buckets_of(templates: Templates) -> list[dict[str, Any]]:
    """The statements of every bucket's policy."""
    resources = templates["orderstream-data"]["Resources"]
    return [
        {**statement, "Resource": _resolved(statement["Resource"], resources)}
        for resource in resources.values()
        if resource["Type"] == "AWS::S3::BucketPolicy"
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
    ]


def _resolved(value: Any, resources: Mapping[str, Any]) -> Any:
    """A value in which ARNs of buckets are written out."""
    match value:
        case list():
            return [_resolved(one, resources) for one in value]
        case {"Fn::GetAtt": [name, "Arn"]}:
            return f"arn:{DEPLOYMENT.partition}:s3:::{resources[name]['Properties']['BucketName']}"
        case {"Fn::Join": [separator, parts]}:
            return separator.join(_resolved(part, resources) for part in parts)
        case _:
            return value


def rendered(templates: Templates, small: Templates) -> str:
    """What the file holds."""
    found = {
        "account": DEPLOYMENT.account,
        "region": DEPLOYMENT.region,
        "roles": roles_of(templates),
        "small": role_of_all(small),
        "buckets": buckets_of(templates),
    }
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


def rendered_data(templates: Templates) -> str:
    """What the file of the template holds."""
    return json.dumps(templates["orderstream-data"], indent=1, sort_keys=True) + "\n"


def main() -> int:
    """Synthesize and write."""
    found = {}
    for size, deployment in SIZES.items():
        with tempfile.TemporaryDirectory() as out:
            pipeline(deployment, out=out).synth()
            found[size] = templates_in(Path(out))
        keep(size, found[size])
    FILE.write_text(rendered(found["standard"], found["small"]), encoding="utf-8")
    DATA.write_text(rendered_data(found["standard"]), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
