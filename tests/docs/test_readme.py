"""What the documents show works: snippets run, commands and links lead somewhere."""

import datetime as dt
import html
import logging
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from docs.recording import COLUMNS
from fakes.engine import record_of
from orderstream.messages import initial
from orderstream_consumer.idempotency import MessageHandler
from orderstream_orders.contracts import Customer, OrderPlaced
from orderstream_workers.cli.main import orderstream

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("data/*.md")])
README = (ROOT / "README.md").read_text()


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_files(page: Path) -> None:
    """Every relative link of a page names a file that is there."""
    links = re.findall(r"\]\((?!https?://|#)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


@pytest.mark.parametrize(
    "distribution",
    sorted(
        path.parent
        for folder in ("producers", "consumers", "scripts")
        for path in (ROOT / folder).glob("*/README.md")
    ),
    ids=lambda folder: str(folder.relative_to(ROOT)),
)
def test_a_package_index_shows_no_broken_link(distribution: Path) -> None:
    """What a wheel carries as its description stands alone: no link leads to a file of the repository."""
    text = (distribution / "README.md").read_text()
    assert re.findall(r"\]\((?!https?://|#)[^)]+\)", text) == []


def test_the_commands_of_the_readme_exist() -> None:
    """Every `orderstream` command that the README shows is a command, and its options are options."""
    shown = [line for block in blocks("sh") for line in block.splitlines() if "bin/orderstream" in line]
    assert shown
    for line in shown:
        called = re.sub(r"^\w+=\$\((.*?)\)", r"\1", line)  # what a variable is set from
        words = called.split("#")[0].split()[1:]
        command: Any = orderstream
        context = click.Context(command)
        while isinstance(command, click.Group):
            command = command.get_command(context, words.pop(0))
            assert command is not None, line
        known = {option for parameter in command.params for option in parameter.opts} | {"--help"}
        assert {word for word in words if word.startswith("--")} <= known, line


def test_the_make_targets_of_the_readme_exist() -> None:
    """Every make target that the README shows is one."""
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)) <= targets


def test_make_help_fits_a_terminal() -> None:
    """No line is wider than 80 columns, and every target of the README is listed."""
    lines = subprocess.run(
        ["make", "--no-print-directory", "help"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert [line for line in lines if len(line) > 80] == []
    listed = {words[0] for line in lines if (words := line[:22].split())}
    assert set(re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)) <= listed


@pytest.mark.parametrize(("version", "status"), [("(3, 10, 14)", 2), ("(3, 11, 0)", 0)])
def test_an_old_python_is_told_what_is_needed(tmp_path: Path, version: str, status: int) -> None:
    """Before anything is downloaded, and with the way out."""
    pretended = tmp_path / "python3"
    # What make asks of it is a program in one string; here another version answers.
    pretended.write_text(
        "#!/bin/sh\n"
        'case "$1" in -c) shift; exec '
        f'{sys.executable} -c "import sys; sys.version_info = {version}; exec(sys.argv[1])" "$1";; esac\n'
    )
    pretended.chmod(0o755)
    done = subprocess.run(
        [
            "make",
            "--no-print-directory",
            "-f",
            str(ROOT / "Makefile"),
            f"PYTHON={pretended}",
            "python-version",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status
    assert ("needs Python 3.11" in done.stderr) == (status != 0)


def test_the_consumer_of_the_readme_works(caplog: pytest.LogCaptureFixture) -> None:
    """The consumer of one file is wired and tells of a large order, and of no small one."""
    (code,) = [block for block in blocks("python") if "in_lanes" in block]
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    resources = SimpleNamespace(in_lanes=lambda declared, routes: (declared.name, MessageHandler(routes)))
    name, handler = names["build"](resources)
    for order_id, total in (("small", 100_000), ("large", 100_001)):
        order = OrderPlaced(
            order_id=order_id, customer=Customer(), country=None, lines=(), total_minor=total, currency="GBP"
        )
        envelope = initial(order, source="orders", event_id=order_id, time=dt.datetime.now(dt.UTC))
        with caplog.at_level(logging.WARNING):
            handler.handle(record_of(order_id, 1, envelope.encode()))
    assert name == "large-orders"
    assert [record.order_id for record in caplog.records] == ["large"]


def test_the_picture_shows_a_demo_that_balances_at_80_columns() -> None:
    """What a newcomer sees is what the demo prints: its table and its verdict, cut nowhere."""
    drawn = html.unescape((ROOT / "docs" / "demo.svg").read_text(encoding="utf-8")).replace("\xa0", " ")
    assert "docs/demo.svg" in README
    assert "The books balance." in drawn
    assert "differs" not in drawn
    assert max(len(line) for line in re.findall(r">([^<>]*)</text>", drawn)) <= COLUMNS


def test_the_anchors_of_the_readme_are_headings() -> None:
    """Its paths for three kinds of users lead to sections that are there."""
    headings = {
        re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-")
        for title in re.findall(r"^## (.*)$", README, re.MULTILINE)
    }
    anchors = re.findall(r"\]\(#([^)]+)\)", README)
    assert anchors
    assert set(anchors) <= headings
