"""One synthesis for all tests: it takes seconds of node."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from orderstream_infra.app import pipeline, settings_of
from orderstream_infra.deployment import Deployment
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Topology

DEPLOYMENT = Deployment(
    account="111122223333",
    region="eu-central-1",
    image=f"111122223333.dkr.ecr.eu-central-1.amazonaws.com/orderstream@sha256:{'0' * 64}",
    payments_api_url="https://payments.example.com",
    mail_sender="orders@example.com",
    operators_email="operators@example.com",
    jwt_issuer="https://issuer.example.com/",
    jwt_audience="orders",
    jwt_keys="https://keys.example.com/jwks.json",
)


def templates_in(folder: Path) -> Mapping[str, Any]:
    """Each stack's template, by its name."""
    files = folder.glob("*.template.json")
    return {file.name.removesuffix(".template.json"): json.loads(file.read_bytes()) for file in files}


def joined(templates: Mapping[str, Any], *stacks: str) -> Mapping[str, Any]:
    """Stacks as if they were one: what one imports of another is what the other exports."""
    chosen = [templates[f"orderstream-{stack}"] for stack in stacks]
    exported = {
        output["Export"]["Name"]: output["Value"]
        for template in chosen
        for output in template.get("Outputs", {}).values()
        if "Export" in output
    }
    resources = {name: one for template in chosen for name, one in template["Resources"].items()}
    assert len(resources) == sum(len(template["Resources"]) for template in chosen)
    return {"Resources": _imported(resources, exported)}


def _imported(value: Any, exported: Mapping[str, Any]) -> Any:
    match value:
        case {"Fn::ImportValue": name} if name in exported:
            return exported[name]
        case dict():
            return {key: _imported(one, exported) for key, one in value.items()}
        case list():
            return [_imported(one, exported) for one in value]
        case _:
            return value


SIZES = {size: dataclasses.replace(DEPLOYMENT, size=size) for size in ("standard", "small")}
"""The deployment in each size."""


@pytest.fixture(scope="session")
def synthesized(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Path]:
    """The folder of each size's templates."""
    folders = {size: tmp_path_factory.mktemp(size) for size in SIZES}
    for size, folder in folders.items():
        pipeline(SIZES[size], out=str(folder)).synth()
    return folders


@pytest.fixture(scope="session")
def templates(synthesized: Mapping[str, Path]) -> Mapping[str, Any]:
    """Each stack's template of the size ``standard``, by its name."""
    return templates_in(synthesized["standard"])


@pytest.fixture(scope="session")
def small(synthesized: Mapping[str, Path]) -> Mapping[str, Any]:
    """Each stack's template of the size ``small``, by its name."""
    return templates_in(synthesized["small"])


@pytest.fixture(scope="session")
def settings() -> Settings:
    """How everything is called in the deployment."""
    return settings_of(DEPLOYMENT)


@pytest.fixture(scope="session")
def declared(settings: Settings) -> Topology:
    """The pipeline."""
    return topology(settings)
