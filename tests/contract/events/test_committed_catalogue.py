"""The committed catalogue is what the code says, and the code only grew since it was committed."""

import json
from pathlib import Path

import pytest

from orderstream_orders.catalogue.__main__ import main
from orderstream_orders.catalogue.asyncapi import document
from orderstream_orders.catalogue.files import broken, outdated, rendered, schema_path, write
from orderstream_orders.contracts import MESSAGE_TYPES

DOCS = Path(__file__).parents[3] / "docs"


def test_the_code_only_grew_since_the_schemas_were_committed() -> None:
    """A change that old data or an old reader cannot live with needs a new version and an upcaster."""
    assert broken(DOCS) == []


def test_the_committed_files_are_what_the_code_says() -> None:
    """Document, page and schemas are generated: `python -m orderstream_orders.catalogue` renews them."""
    assert outdated(DOCS) == []


def test_no_committed_schema_is_orphaned() -> None:
    """Every schema on file is of a message that exists, in its current version or an older one."""
    known = {message_type.type_name(): message_type.schema_version for message_type in MESSAGE_TYPES}
    for path in (DOCS / "schemas").iterdir():
        type_name, _, version = path.stem.rpartition(".")
        assert 1 <= int(version) <= known[type_name], path.name


def test_the_command_writes_what_it_then_finds_in_order(tmp_path: Path) -> None:
    """Written once, the catalogue passes its own check, and writing again changes nothing."""
    assert main(["--docs", str(tmp_path)]) == 0
    before = {path: (tmp_path / path).read_bytes() for path in rendered()}
    assert main(["--docs", str(tmp_path), "--check"]) == 0
    assert main(["--docs", str(tmp_path)]) == 0
    assert {path: (tmp_path / path).read_bytes() for path in rendered()} == before


def test_the_check_names_what_is_missing_and_writes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """An empty folder is outdated from end to end and stays empty."""
    assert main(["--docs", str(tmp_path), "--check"]) == 1
    assert "events.md" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_the_command_does_not_write_over_a_schema_that_the_code_breaks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a field on file that the code no longer has, nothing is written and the field is named."""
    write(tmp_path)
    message_type = MESSAGE_TYPES[0]
    path = tmp_path / schema_path(message_type)
    schema = json.loads(path.read_text())
    schema["$defs"][message_type.__name__]["properties"]["promised"] = {"type": "string"}
    path.write_text(json.dumps(schema))
    planted = path.read_bytes()
    assert main(["--docs", str(tmp_path)]) == 1
    assert "data.promised: removed" in capsys.readouterr().err
    assert path.read_bytes() == planted


def test_every_reference_of_the_document_leads_somewhere() -> None:
    """The AsyncAPI document has no dangling reference."""
    content = document()

    def check(node: object) -> None:
        if isinstance(node, dict):
            if isinstance(reference := node.get("$ref"), str):
                target: object = content
                for part in reference.removeprefix("#/").split("/"):
                    assert isinstance(target, dict), reference
                    target = target[part]
            for child in node.values():
                check(child)
        elif isinstance(node, list):
            for child in node:
                check(child)

    check(content)


def test_the_document_has_every_message_once_and_both_sides_of_each() -> None:
    """Every message is in the channel and somebody sends it; what nobody acts on is archived still."""
    content = document()
    names = {message_type.type_name() for message_type in MESSAGE_TYPES}
    assert set(content["channels"]["orders"]["messages"]) == names
    for action in ("send", "receive"):
        referenced = {
            reference["$ref"].rpartition("/")[2]
            for operation in content["operations"].values()
            if operation["action"] == action
            for reference in operation["messages"]
        }
        assert referenced == names
