"""The production image: what it installs."""

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
IN_THE_IMAGE = ("producers/sdk", "producers/orders", "consumers/library", "consumers/workers")
LOCKS = ("requirements-image.lock", "requirements-kcl.lock")


def declared(distribution: str) -> set[str]:
    project = tomllib.loads((ROOT / distribution / "pyproject.toml").read_text())["project"]
    extras = [each for group in project.get("optional-dependencies", {}).values() for each in group]
    return {name_of(each) for each in (*project["dependencies"], *extras)}


def name_of(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found
    return found[0].lower().replace("_", "-")


def test_the_image_installs_the_four_distributions_and_no_other() -> None:
    """SDK, orders, library and workers run in production; the playground and the sizing tool do not."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    assert set(re.findall(r"\./((?:producers|consumers|scripts|infra)[\w/]*)", dockerfile)) == set(
        IN_THE_IMAGE
    )
    assert "scripts" not in dockerfile


@pytest.mark.parametrize("lock", LOCKS)
def test_the_requirements_of_the_image_hold_no_playground(lock: str) -> None:
    """Neither the playground itself nor what it alone depends on."""
    locked = {
        name_of(line)
        for line in (ROOT / lock).read_text().splitlines()
        if line[:1].isalnum() and "==" in line
    }
    needed = set[str]().union(*map(declared, IN_THE_IMAGE))
    # The exporter of spans brings the protocol's messages along, which the playground's collector reads.
    of_the_playground = declared("scripts/playground") - needed - {"opentelemetry-proto"}
    assert {"boto3", "msgspec"} <= locked
    assert of_the_playground
    assert not locked & (of_the_playground | {"orderstream-playground", "shard-sizing"})
