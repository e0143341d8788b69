"""Synthesis: repeatable, accepted by CloudFormation's linter, and honest about what it does not know."""

import copy
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from policies import DATA, rendered_data

from conftest import DEPLOYMENT, SIZES
from orderstream_infra.app import pipeline
from orderstream_infra.declaration import checked
from orderstream_infra.deployment import DeploymentError
from orderstream_infra.findings import FoundError, acknowledged, written
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import BucketSpec, Process, Topology

STACKS = {
    "standard": {"data", "network", "read-model", "workers", "edge", "observability"},
    "small": {"data", "small", "observability"},
}


@pytest.fixture(scope="module", params=SIZES)
def size(request: pytest.FixtureRequest) -> str:
    """Each size."""
    return str(request.param)


@pytest.fixture(scope="module")
def again(size: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a second synthesis, in which no finding is acknowledged: one sentence ends it."""
    out = tmp_path_factory.mktemp("again")
    with pytest.raises(FoundError, match="AwsSolutions-S1") as caught:
        written(pipeline(SIZES[size], out=str(out), acknowledging=False))
    assert "\n" not in str(caught.value)
    assert str(out) in str(caught.value)
    return out


def test_two_syntheses_are_equal_byte_for_byte(
    size: str, synthesized: Mapping[str, Path], again: Path
) -> None:
    """A difference between two templates is a difference between two pipelines."""
    first = {file.name: file.read_bytes() for file in synthesized[size].glob("*.template.json")}
    second = {file.name: file.read_bytes() for file in again.glob("*.template.json")}
    assert first == second
    assert set(first) == {f"orderstream-{stack}.template.json" for stack in STACKS[size]}


def test_each_acknowledgment_has_its_finding(size: str, again: Path, settings: Settings) -> None:
    """Each finding that synthesis lets pass is still one, and there is no other; there are few of them."""
    stay = acknowledged(SIZES[size], settings.archive_bucket)
    (report,) = json.loads((again / "validation-report.json").read_bytes())["pluginReports"]
    found = {violation["ruleName"] for violation in report["violations"]}
    assert found == {finding.rule for finding in stay}
    assert len(stay) <= 10


def test_cloudformation_has_nothing_against_it(synthesized: Mapping[str, Path]) -> None:
    """The linter knows the schema of every resource: a wrong member is found before AWS sees it."""
    files = sorted(str(file) for folder in synthesized.values() for file in folder.glob("*.template.json"))
    command = [str(Path(sys.executable).parent / "cfn-lint"), "--regions", DEPLOYMENT.region, "--", *files]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.stdout, ended.returncode) == ("", 0)


def test_a_template_is_deployed_as_it_is(templates: Mapping[str, Any], small: Mapping[str, Any]) -> None:
    """No template asks for a file, a parameter or a bootstrapped account."""
    both = [*templates.items(), *small.items()]
    assert [name for name, template in both if "Parameters" in template] == []


def test_the_kept_template_is_the_synthesized_one(templates: Mapping[str, Any]) -> None:
    """A change of what holds orders is seen in review, and tried on a local environment.

    ``make infra-policies`` writes it anew.
    """
    assert DATA.read_text(encoding="utf-8") == rendered_data(templates)


def test_what_holds_orders_is_one_stack_for_both_sizes(
    templates: Mapping[str, Any], small: Mapping[str, Any]
) -> None:
    """Who moves from one size to the other touches nothing that holds orders but the number of shards."""
    both = [copy.deepcopy(each["orderstream-data"]["Resources"]) for each in (templates, small)]
    open_shards = [
        [one["Properties"].pop("ShardCount") for one in resources.values() if _is_orders(one)]
        for resources in both
    ]
    assert both[0] == both[1]
    assert open_shards == [[4], [1]]


def _is_orders(resource: Mapping[str, Any]) -> bool:
    return bool(resource["Type"] == "AWS::Kinesis::Stream" and resource["Properties"]["Name"] == "orders")


@dataclass(frozen=True)
class CarrierSpec:
    name: str


def test_what_no_construct_makes_is_named() -> None:
    """A kind of resource that is new in the declaration ends synthesis with a sentence that names it."""
    process = Process(name="courier", does="drives", needs=(CarrierSpec("pigeon"),))  # type: ignore[arg-type]
    with pytest.raises(DeploymentError, match="courier needs the CarrierSpec pigeon"):
        checked(Topology(processes=(process,)))


def test_a_stream_outlasts_the_archivers_absence(declared: Topology) -> None:
    """A retention that is shorter than the archiver may be away ends synthesis: records would be nowhere."""
    kept = {
        application.name: replace(application, reads=replace(application.reads, retention_hours=24))
        for application in declared.applications
        if any(isinstance(resource, BucketSpec) for resource in application.resources)
    }
    assert kept
    with pytest.raises(DeploymentError, match=r"the stream orders keeps records for 24 hours, and archiver"):
        checked(Topology(processes=tuple(kept.values())))
    assert checked(declared) == declared
