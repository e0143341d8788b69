"""The consumer library's own page: its snippets run, its examples and names exist."""

import re
from pathlib import Path

import pytest

import orderstream_consumer
from orderstream_consumer import ConsumerConfig

PAGE = Path(__file__).parents[2] / "consumers" / "library" / "README.md"
TEXT = PAGE.read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
NOT_RUN = re.findall(r"```python no-run\n(.*?)```", TEXT, re.DOTALL)


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_runs_as_it_stands(snippet: str) -> None:
    """Whoever copies it gets what the page says."""
    exec(compile(snippet, str(PAGE), "exec"), {"__name__": "__main__"})


def test_only_what_runs_until_a_signal_is_not_run() -> None:
    """It is the example ``script.py``, which another test runs; it compiles, and its names exist."""
    (snippet,) = NOT_RUN
    compile(snippet, str(PAGE), "exec")
    imported = re.findall(r"^from orderstream_consumer import (.+)$", snippet, re.MULTILINE)
    assert all(hasattr(orderstream_consumer, name) for names in imported for name in names.split(", "))


def test_the_examples_are_there() -> None:
    """Every example that is named stands in the folder beside the page, and every one there is named."""
    examples = PAGE.parent / "examples"
    named = set(re.findall(r"`((?:container/)?\w+\.py)`", TEXT))
    assert named == {str(file.relative_to(examples)) for file in examples.rglob("*.py")}


def test_every_error_and_setting_it_names_exists() -> None:
    """The tables are about this version."""
    errors = set(re.findall(r"`(\w+Error)`", TEXT))
    assert {name for name in errors if not hasattr(orderstream_consumer, name)} == set()
    table = TEXT.split("## Settings")[1].split("## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+`) \| ", table, re.MULTILINE)
    settings = {field.strip("`") for row in rows for field in row.split(", ")}
    assert settings
    assert settings <= set(ConsumerConfig.__slots__)


def test_every_public_name_is_exported() -> None:
    """What ``__all__`` says is there."""
    assert all(hasattr(orderstream_consumer, name) for name in orderstream_consumer.__all__)
