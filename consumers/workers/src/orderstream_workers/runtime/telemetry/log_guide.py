"""What the operations guide says of the logs: the fields of a line, and the queries, ready to paste."""

from collections.abc import Iterator

from orderstream_workers.runtime.telemetry.insights import insights
from orderstream_workers.runtime.topology.log_fields import ABOUT, DETAILS, ERROR, REQUIRED
from orderstream_workers.runtime.topology.log_queries import QUERIES


def fields_guide() -> Iterator[str]:
    """The table of the fields, but for those of single lines, which are named."""
    yield "| field | type | what it says |"
    yield "|---|---|---|"
    kinds = {"whole": "integer", "flag": "boolean"}
    for field in (*REQUIRED, *ABOUT, *ERROR):
        yield f"| `{field.name}` | {kinds.get(field.kind, field.kind)} | {field.meaning} |"
    others = ", ".join(f"`{field.name}`" for field in DETAILS)
    yield f"| {others} | - | In single lines; the schema says what. |"


def queries_guide() -> Iterator[str]:
    """The table of the queries, and the text of each."""
    yield "| query | what it asks |"
    yield "|---|---|"
    for query in QUERIES:
        yield f"| `{query.name}` | {query.question} |"
    for query in QUERIES:
        yield ""
        yield "```"
        yield f"# {query.name}: {query.question}"
        yield from insights(query).splitlines()
        yield "```"
