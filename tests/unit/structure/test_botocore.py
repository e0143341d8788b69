"""Botocore's exceptions are caught in one room, which makes one tree of errors of them."""

import ast
from pathlib import Path
from typing import Final

ROOT = Path(__file__).parents[3]
SOURCES: Final = ("producers/*/src", "consumers/*/src", "scripts/*/src", "infra/src")
THE_ROOM: Final = "producers/sdk/src/orderstream/aws/"


def caught(tree: ast.AST) -> list[int]:
    """Lines of the except clauses that name an exception of botocore, or of a client."""
    of_botocore = {
        name.asname or name.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("botocore")
        for name in node.names
    }
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and node.type is not None
        and any(
            (isinstance(part, ast.Name) and part.id in of_botocore)
            or (isinstance(part, ast.Attribute) and part.attr == "exceptions")
            for part in ast.walk(node.type)
        )
    ]


def test_an_except_clause_of_either_kind_is_found() -> None:
    """What is imported under another name, and what a client offers as its exceptions."""
    code = """
from botocore.exceptions import ClientError as Refused
try: ...
except (ValueError, Refused): ...
try: ...
except client.exceptions.NoSuchKey: ...
"""
    assert caught(ast.parse(code)) == [4, 6]


def test_they_are_caught_where_aws_is_called_and_nowhere_else() -> None:
    """Whoever catches them elsewhere translates them in a way of its own."""
    files = [path for source in SOURCES for path in ROOT.glob(f"{source}/**/*.py")]
    assert len(files) > 500
    found = {
        str(path.relative_to(ROOT)): lines
        for path in files
        if (lines := caught(ast.parse(path.read_text(encoding="utf-8"))))
    }
    assert found
    assert [path for path in found if not path.startswith(THE_ROOM)] == []
