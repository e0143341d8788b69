"""Lines of logs as tests read them: each one judged, those of metrics by their own schema."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import jsonschema

from fakes.metrics import emf

SCHEMA = json.loads((Path(__file__).parents[2] / "docs" / "log-schema.json").read_text())
_VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)

_OURS = "orderstream"


def valid(line: dict[str, Any]) -> dict[str, Any]:
    """A line that was read, checked: ours has no field that is not declared."""
    _VALIDATOR.validate(line)
    assert not (line["logger"].startswith(_OURS) and line.get("attributes")), line
    return line


def lines_of(text: str) -> Iterator[dict[str, Any]]:
    """What a process has logged, each line checked; those of metrics are checked and left out."""
    for line in _lines(text):
        if line.startswith('{"_aws"'):
            emf(line)
        else:
            yield valid(json.loads(line))


def faults_of(name: str, text: str) -> Iterator[str]:
    """What is wrong with the lines of one process, in words."""
    for number, line in enumerate(_lines(text), 1):
        try:
            list(lines_of(line))
        except (ValueError, AssertionError, jsonschema.ValidationError) as error:
            yield f"{name}, line {number} is no line of the log ({str(error).splitlines()[0]}): {line[:300]}"


def personal_in(texts: Iterable[str], values: Iterable[str]) -> set[str]:
    """Which of the values stand in the texts."""
    whole = "\n".join(texts)
    return {value for value in values if value in whole}


def _lines(text: str) -> list[str]:
    """Its lines, as a log driver tells them apart: by line feeds alone."""
    return text.removesuffix("\n").split("\n") if text else []
