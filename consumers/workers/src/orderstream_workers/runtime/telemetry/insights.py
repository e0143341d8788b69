"""Queries of the logs in the language of CloudWatch Logs Insights. Pure.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/CWL_QuerySyntax.html
"""

from collections.abc import Iterator
from typing import Final

from orderstream_workers.runtime.topology.log_queries import Condition, Figure, LogQuery

PREFIX: Final = "orderstream"
"""Of the saved queries' names: CloudWatch shows them as a folder."""

_FUNCTIONS: Final = {
    "count": "count(*)",
    "max": "max({})",
    "avg": "avg({})",
    "p50": "pct({}, 50)",
    "p99": "pct({}, 99)",
    "first": "earliest({})",
    "last": "latest({})",
}


def insights(query: LogQuery) -> str:
    """A query as its text.

    Args:
        query: The question; its placeholders stand in the text.
    """
    return "\n| ".join(_commands(query))


def _commands(query: LogQuery) -> Iterator[str]:
    if query.show:
        yield f"fields {', '.join(query.show)}"
    for condition in query.where:
        yield f"filter {_condition(condition)}"
    if query.figures:
        by = f" by {', '.join(query.by)}" if query.by else ""
        yield f"stats {', '.join(map(_figure, query.figures))}{by}"
    field, direction = query.sort
    yield f"sort {field} {direction}"
    yield f"limit {query.limit}"


def _condition(condition: Condition) -> str:
    texts = [f'"{value}"' for value in condition.values]
    match condition.operator:
        case "is":
            return f"{condition.field} = {texts[0]}"
        case "is not":
            return f"{condition.field} != {texts[0]}"
        case "is one of":
            return f"{condition.field} in [{', '.join(texts)}]"
        case "is known":
            return f"ispresent({condition.field})"


def _figure(figure: Figure) -> str:
    return f"{_FUNCTIONS[figure.function].format(figure.field)} as {figure.name}"
