"""What the documents show works: snippets run, commands and links lead somewhere."""

import datetime as dt
import logging
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pytest

from fakes.engine import record_of
from orderstream.events import Customer, OrderPlaced, initial
from orderstream_workers.cli.main import orderstream
from orderstream_workers.effects import MessageHandler

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


def test_the_commands_of_the_readme_exist() -> None:
    """Every `orderstream` command that the README shows is a command, and its options are options."""
    shown = [line for block in blocks("sh") for line in block.splitlines() if "bin/orderstream" in line]
    assert shown
    for line in shown:
        words = line.split("#")[0].split()[1:]
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


def test_the_consumer_of_the_readme_works(caplog: pytest.LogCaptureFixture) -> None:
    """The consumer of twenty lines is wired and tells of a large order, and of no small one."""
    (code,) = [block for block in blocks("python") if "in_lanes" in block]
    names: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), names)
    resources = SimpleNamespace(in_lanes=lambda name, routes: (name, MessageHandler(routes)))
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
