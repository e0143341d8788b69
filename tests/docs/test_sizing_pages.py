"""The commands that the pages on sizing show: each of them runs, in the order in which they stand."""

import re
import shlex
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session

from fakes.sizing_cli import run

ROOT = Path(__file__).parents[2]
COMMAND = re.compile(r"^ {4}shard-sizing (.*?)(?: +#.*)?$", re.MULTILINE)
WRONG_INPUT = 1


def commands(page: str) -> list[list[str]]:
    """Return the commands of a page that need no AWS, with the options that name its example file."""
    shown = [shlex.split(line) for line in COMMAND.findall((ROOT / page).read_text(encoding="utf-8"))]
    return [words for words in shown if words[0] != "measure" and "--stream" not in words]


@pytest.mark.parametrize("page", ["docs/sizing.md", "scripts/sizing/README.md"])
def test_a_newcomer_can_copy_each_command(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the file of orders to the report, nothing is refused as wrong input."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").symlink_to(ROOT / "data")
    (tmp_path / "orders.csv.gz").symlink_to(ROOT / "data/online-retail-2010-12.csv.gz")
    (tmp_path / "infra").mkdir()
    for synthesized in ("cdk.out", "infra/cdk.out"):
        (tmp_path / synthesized).symlink_to(ROOT / "infra/billed/small")
    for words in commands(page):
        done = run(*words)
        assert done.exit_code != WRONG_INPUT, (words, done.stderr)
    written = [words[words.index("--report") + 1] for words in commands(page) if "--report" in words]
    assert all("UpdateShardCount to" in Path(name).read_text(encoding="utf-8") for name in written)


def test_the_walk_leads_from_a_sample_to_a_report() -> None:
    """The page shows the five steps of a plan: sample, size, simulate, plan, report."""
    shown = commands("docs/sizing.md")
    assert [words[0] for words in shown[:5]] == ["sample", "hotkeys", "size", "simulate", "plan"]
    assert "--report" in shown[4]


def called() -> set[str]:
    """Return the actions of the AWS calls that stand in the source of the command."""
    loader, source = Session().get_component("data_loader"), ROOT / "scripts/sizing/src/shard_sizing"
    words = {
        word for file in source.rglob("*.py") for word in re.findall(r"\.(\w+)", file.read_text("utf-8"))
    }
    return {
        f"{service}:{operation}"
        for service in ("kinesis", "cloudwatch")
        for operation in loader.load_service_model(service, "service-2")["operations"]
        if xform_name(operation) in words
    }


def test_every_call_stands_among_the_rights() -> None:
    """Who writes a policy finds each action that a command calls, and none that it does not."""
    page = (ROOT / "docs/sizing.md").read_text(encoding="utf-8")
    table = page[page.index("### What it may do") : page.index("## Workers")]
    assert set(re.findall(r"`((?:kinesis|cloudwatch):\w+)`", table)) == called()
