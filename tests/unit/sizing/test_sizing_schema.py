"""What ``--json`` prints: its schemas are committed, and every answer keeps to its own."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fakes.sizing_cli import run
from shard_sizing.cli.compare import Comparison
from shard_sizing.cli.hotkeys import HotKeys
from shard_sizing.cli.planned import Planned
from shard_sizing.cli.template_words import PricedTemplate
from shard_sizing.cli.whatif_words import WhatIf
from shard_sizing.cli.workers import Workers
from shard_sizing.model.capacity.simulate import Simulated
from shard_sizing.model.capacity.sizing import Sizing
from shard_sizing.model.workload.measured import Measured
from shard_sizing.model.workload.profile import Profile

ROOT = Path(__file__).parents[3]
COMMITTED = ROOT / "docs" / "sizing-schema.json"
TEMPLATE = ROOT / "infra" / "billed" / "small"
ANSWERS: dict[str, tuple[type[msgspec.Struct], tuple[str, ...]]] = {
    "compare": (Comparison, ("compare", "--rate", "900", "--keys", "500")),
    "size": (Sizing, ("size", "--rate", "900", "--keys", "500")),
    "workers": (Workers, ("workers", "--rate", "900", "--milliseconds", "1", "--shards", "4")),
    "plan": (Planned, ("plan", "--rate", "900", "--keys", "500", "--shards", "2", "--target", "3")),
    "simulate": (Simulated, ("simulate", "--rate", "900", "--keys", "500", "--shards", "2")),
    "whatif": (WhatIf, ("whatif", "--orders", "1", "--x", "1")),
    "whatif-template": (PricedTemplate, ("whatif", "--orders", "1", "--template", str(TEMPLATE))),
}


def schemas() -> dict[str, Any]:
    kinds = [kind for kind, _ in ANSWERS.values()] + [HotKeys, Profile, Measured]
    found, parts = msgspec.json.schema_components(kinds, ref_template="#/$defs/{name}")
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "anyOf": list(found), "$defs": parts}


def test_the_committed_schemas_are_those_of_the_code() -> None:
    """Whoever changes an answer changes its schema, and with it the version, knowingly."""
    assert json.loads(COMMITTED.read_text(encoding="utf-8")) == json.loads(json.dumps(schemas()))


@pytest.mark.parametrize("answer", sorted(ANSWERS))
def test_an_answer_keeps_to_its_schema(answer: str) -> None:
    """It decodes as its own kind, and names its schema and version."""
    kind, arguments = ANSWERS[answer]
    done = run(*arguments, "--json")
    decoded = msgspec.json.decode(done.stdout, type=kind)
    assert json.loads(done.stdout)["schema"] == getattr(decoded, "schema")  # noqa: B009 - of every kind
    assert json.loads(done.stdout)["schema"].startswith(f"shard-sizing/{answer}/")
