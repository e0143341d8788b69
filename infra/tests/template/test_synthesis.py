"""Synthesis: repeatable, accepted by CloudFormation's linter, and honest about what it does not know."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conftest import DEPLOYMENT
from orderstream_infra.app import checked, pipeline
from orderstream_infra.deployment import DeploymentError
from orderstream_infra.findings import acknowledged
from orderstream_workers.runtime.topology import Process, Topology


@pytest.fixture(scope="module")
def again(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a second synthesis, in which no finding is acknowledged."""
    out = tmp_path_factory.mktemp("again")
    with pytest.raises(RuntimeError, match="ValidationFailed"):
        pipeline(DEPLOYMENT, out=str(out), acknowledging=False).synth()
    return out


def test_two_syntheses_are_equal_byte_for_byte(synthesized: Path, again: Path) -> None:
    """A difference between two templates is a difference between two pipelines."""
    first = {file.name: file.read_bytes() for file in synthesized.glob("*.template.json")}
    second = {file.name: file.read_bytes() for file in again.glob("*.template.json")}
    assert first == second
    stacks = ("data", "network", "read-model", "workers")
    assert set(first) == {f"orderstream-{stack}.template.json" for stack in stacks}


def test_each_acknowledgment_has_its_finding(again: Path) -> None:
    """Each finding that synthesis lets pass is still one, and there is no other; there are few of them."""
    stay = acknowledged(f"arn:aws:s3:::orderstream-archive-{DEPLOYMENT.account}-{DEPLOYMENT.region}")
    (report,) = json.loads((again / "validation-report.json").read_bytes())["pluginReports"]
    found = {violation["ruleName"] for violation in report["violations"]}
    assert found == {finding.rule for finding in stay}
    assert len(stay) <= 10


def test_cloudformation_has_nothing_against_it(synthesized: Path) -> None:
    """The linter knows the schema of every resource: a wrong member is found before AWS sees it."""
    files = sorted(map(str, synthesized.glob("*.template.json")))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", DEPLOYMENT.region, "--", *files]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == ("", 0)


def test_a_template_is_deployed_as_it_is(templates: Mapping[str, Any]) -> None:
    """No template asks for a file, a parameter or a bootstrapped account."""
    assert [name for name, template in templates.items() if "Parameters" in template] == []


@dataclass(frozen=True)
class CarrierSpec:
    name: str


def test_what_no_construct_makes_is_named() -> None:
    """A kind of resource that is new in the declaration ends synthesis with a sentence that names it."""
    process = Process(name="courier", does="drives", needs=(CarrierSpec("pigeon"),))  # type: ignore[arg-type]
    with pytest.raises(DeploymentError, match="courier needs the CarrierSpec pigeon"):
        checked(Topology(processes=(process,)))
