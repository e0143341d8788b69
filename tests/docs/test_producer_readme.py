"""The SDK's own page: its snippets run, its links and names exist, its policy allows what is called."""

import json
import re
from pathlib import Path

import pytest

import orderstream
import orderstream.errors
import orderstream.messages
from docs.reference import PAGE as PAGE_OF_REFERENCE
from docs.reference import page
from fakes.kpl import TinyClient
from orderstream import Producer, ProducerConfig
from orderstream.testing import FakeKinesis

PAGE = Path(__file__).parents[2] / "producers" / "sdk" / "README.md"
TEXT = PAGE.read_text()
SNIPPETS = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
ERRORS = set(re.findall(r"`(\w+(?:Error|Warning))`", TEXT))


@pytest.mark.parametrize("snippet", SNIPPETS, ids=range(len(SNIPPETS)))
def test_a_snippet_runs_as_it_stands(snippet: str) -> None:
    """Whoever copies it gets what the page says; a snippet that is a test passes."""
    names: dict[str, object] = {"__name__": "__main__"}
    exec(compile(snippet, str(PAGE), "exec"), names)
    for name, value in names.items():
        if name.startswith("test_") and callable(value):
            kinesis = FakeKinesis()
            kinesis.client().create_stream(StreamName="orders", ShardCount=2)
            value(kinesis)


def test_the_examples_are_there() -> None:
    """Every example that is named stands in the folder beside the page, and every one there is named."""
    named = set(re.findall(r"`(?:examples/)?(\w+\.py)`", TEXT))
    assert named == {file.name for file in (PAGE.parent / "examples").glob("*.py")}


def test_every_error_and_setting_it_names_exists() -> None:
    """The tables are about this version."""
    homes = (orderstream, orderstream.errors, orderstream.messages)
    assert {name for name in ERRORS if not any(hasattr(home, name) for home in homes)} == set()
    settings = {
        field
        for row in re.findall(r"^\| (`[a-z_`, ]+`) \| ", TEXT, re.MULTILINE)
        for field in row.split(", ")
    }
    assert settings
    assert {field for field in settings if not hasattr(ProducerConfig, field.strip("`"))} == set()


def test_the_policy_allows_exactly_what_a_producer_calls() -> None:
    """Not one action more: what a producer asks of its client is what the statement lists."""

    class Noting(TinyClient):
        def __getattribute__(self, name: str) -> object:
            if name in {"put_records", "list_shards", "describe_stream", "describe_stream_summary"}:
                called.add("kinesis:" + "".join(word.capitalize() for word in name.split("_")))
            return super().__getattribute__(name)

    called: set[str] = set()
    with Producer("orders", client=Noting()) as producer:
        producer.put(b"data", "key").result(30)
    (policy,) = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", TEXT, re.DOTALL))
    assert set(policy["Statement"][0]["Action"]) == called


def test_the_reference_says_what_the_docstrings_say() -> None:
    """Every public name is in it, and it is of this version: `make reference` writes it anew."""
    assert PAGE_OF_REFERENCE.read_text() == page()
    first, *_ = page().split("\n# From ")
    assert set(re.findall(r"^## (\w+)$", first, re.MULTILINE)) == set(orderstream.__all__)
    assert " at 0x" not in page()
