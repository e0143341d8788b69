"""Pictures and reports: readable without colours, safe from what keys hold, complete in themselves."""

import re
import warnings
import xml.etree.ElementTree as ET
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fakes.sizing_cli import run
from shard_sizing.cli.presentation.output import short_ids
from shard_sizing.cli.presentation.pictures import Bars, Lines, Picture, Stacks, short_label
from shard_sizing.cli.presentation.plots import drawn, line_style, part_style
from shard_sizing.model.workload.profile import HotKey, synthetic

NASTY = (
    "x" * 256,
    "$a_{b}$ 100%",
    "<script>alert(1)</script>",
    "\u4e2d\u6587",
    "",
    "tab\there",
    "[red]bold[/red]",
)
PICTURES: dict[str, Picture] = {
    "bars": Bars("Three shards are enough.", [10.0, 120.0, 30.0], "shards", "load, %", unit=" %", limit=100),
    "keys": Bars("Keys", [float(i) for i in range(len(NASTY))], "keys", "share, %", labels=NASTY),
    "many": Bars("Many", [float(i) for i in range(20_000)], "shards", "load, %", limit=1_500),
    "stacks": Stacks("A bill", {"S3": [1.0, 2.0], "$KMS$": [3.0, 0.0]}, ["x1", "x10"], "", "share, %"),
    "lines": Lines(
        "Costs",
        [1.0, 10.0, 100.0],
        {"a": [1.0, None, 3.0], "b": [2.0, 2.0, 2.0]},
        "rate",
        "USD",
        log=True,
        marks={"today": 10.0, "break-even": 100.0},
    ),
}


@pytest.mark.parametrize("name", sorted(PICTURES))
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_every_picture_is_drawn_without_a_word_of_the_library(name: str, kind: str) -> None:
    """Whatever a key holds, nothing is taken for a formula, no letter is missing, no layout collapses."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        picture = drawn(PICTURES[name], kind)
    assert picture.startswith({"png": b"\x89PNG", "svg": b"<?xml"}[kind])
    assert drawn(PICTURES[name], kind) == picture


def test_an_axis_of_few_powers_of_ten_has_numbers_and_no_formulas() -> None:
    """From 30 to 800 only 100 is a power of ten; its neighbours are labelled as numbers, too."""
    picture = Lines("", [1.0, 2.0, 14.0], {"busy": [800.0, 400.0, 30.0]}, "containers", "%", log=True)
    svg = drawn(picture, "svg").decode()
    assert "mathdefault" not in svg
    assert all(f"<!-- {number} -->" in svg for number in (5, 10, 50, 100, 200, 500))
    wide = Lines("", [1.0, 1e6], {"a": [1.0, 1e6]}, "rate", "USD", log=True)
    assert "<!-- 500 -->" not in drawn(wide, "svg").decode()


def test_the_picture_of_a_fleet_is_never_empty(tmp_path: Path) -> None:
    """Where only the last number of containers keeps up, it shows how far all others are from it."""
    plot = tmp_path / "fleet.svg"
    fleet = ("workers", "--rate", "4000", "--milliseconds", "2", "--shards", "16", "--plot", str(plot))
    assert run(*fleet).exit_code == 0
    svg = plot.read_text(encoding="utf-8")
    assert "<!-- the fullest container -->" in svg
    assert "<!-- needed: 16 -->" in svg
    line = max(re.findall(r'<path d="(M [^"]*)"', svg), key=lambda path: path.count("L"))
    assert line.count("L") >= 15


def test_the_limit_is_in_the_picture_even_if_no_bar_comes_near() -> None:
    """A bar's height says little without the line that it should not cross."""
    picture = drawn(Bars("", [10.0], "shards", "load, %", limit=100), "svg").decode()
    assert re.search(r"<!-- 100 -->|>100<", picture)


def test_lines_and_parts_differ_without_their_colours() -> None:
    """Six lines have six pairs of dashes and marks; nine services have nine hatches."""
    lines = {line_style(number)[1:] for number in range(6)}
    parts = {part_style(number)[1] for number in range(9)}
    assert (len(lines), len(parts)) == (6, 9)


@given(st.text(max_size=300))
@settings(max_examples=100)
def test_a_label_fits_and_is_never_empty(name: str) -> None:
    """At most 24 characters, all printable, for any key."""
    label = short_label(name)
    assert 0 < len(label) <= 24
    assert label.isprintable()


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=30, unique=True))
def test_short_ids_still_differ(numbers: list[int]) -> None:
    """What all ids share is left out, what tells them apart is not."""
    ids = [f"shardId-{number:012}" for number in numbers]
    short = short_ids(ids)
    assert len(set(short)) == len(ids)
    assert all(each.endswith(one.lstrip("\u2026")) for each, one in zip(ids, short, strict=True))
    assert max(map(len, short)) <= 8


def test_shards_have_the_same_names_below_their_bars_as_in_the_table() -> None:
    """The sign for what all ids share is drawn, and not spelt as an escape."""
    short = short_ids(["shardId-000000000000", "shardId-000000000001"])
    assert [short_label(name) for name in short] == short


class Outside(HTMLParser):
    """Collects what a page would fetch or run, and its texts."""

    def __init__(self) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.tags: set[str] = set()
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "action") and not (value or "").startswith("#"):
                self.fetched.append(value or "")

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_report_is_complete_in_itself_and_escapes_what_keys_hold(tmp_path: Path) -> None:
    """One file: it fetches nothing and runs nothing, and a key that is markup is shown as it is."""
    profile, report = tmp_path / "profile.json", tmp_path / "hot.html"
    keys = tuple(HotKey(key, 0.1, 0.1) for key in NASTY)
    profile.write_bytes(
        msgspec.json.encode(msgspec.structs.replace(synthetic(90, 500, 0.0, 0.0), hot_keys=keys))
    )
    done = run("hotkeys", str(profile), "--report", str(report))
    assert done.exit_code == 0, done.stderr
    page = report.read_text(encoding="utf-8")
    seen = Outside()
    seen.feed(page)
    assert seen.fetched == []
    assert not seen.tags & {"script", "iframe", "object", "link", "img"}
    assert "<script>alert(1)</script>" in seen.text
    assert "No key is too heavy" in seen.text
    assert "shard-sizing hotkeys" in seen.text
    svg = re.search(r"<svg.*</svg>", page, re.DOTALL)
    assert svg
    ET.fromstring(svg.group())


def test_a_report_is_an_html_file(tmp_path: Path) -> None:
    """Another ending is refused before anything is reckoned."""
    done = run(
        "workers", "--rate", "9", "--milliseconds", "1", "--shards", "1", "--report", str(tmp_path / "a.pdf")
    )
    assert (done.exit_code, "ending .html" in done.stderr) == (1, True)
