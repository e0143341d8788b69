"""Queries of the logs in SQL, over one table of lines. Pure; SQLite and DuckDB understand it alike.

The table ``lines`` has a column ``line`` with a JSON object in each row. ``quantile_cont(value, share)`` is
DuckDB's own; SQLite is given one.
"""

from typing import Final

from orderstream_workers.runtime.topology.log_queries import NAMED, Condition, Figure, LogQuery

_FUNCTIONS: Final = {
    "count": "count(*)",
    "max": "max({})",
    "avg": "avg({})",
    "p50": "quantile_cont({}, 0.5)",
    "p99": "quantile_cont({}, 0.99)",
    "first": "min({})",
    "last": "max({})",
}


def sql(query: LogQuery) -> str:
    """A query as one statement; its placeholders stand in the text.

    Args:
        query: The question.
    """
    columns = [
        *(f'{_value(name)} AS "{name}"' for name in (query.show or query.by)),
        *(f'{_figure(figure)} AS "{figure.name}"' for figure in query.figures),
    ]
    where = " AND ".join(map(_condition, query.where))
    groups = ", ".join(map(_value, query.by))
    field, direction = query.sort
    order = f'"{field}"' if any(field == figure.name for figure in query.figures) else _value(field)
    return "\n".join(
        (
            f"SELECT {', '.join(columns)}",
            "FROM lines",
            f"WHERE {where}",
            *([f"GROUP BY {groups}"] if groups else []),
            f"ORDER BY {order} {direction.upper()}",
            f"LIMIT {query.limit}",
        )
    )


def _value(name: str) -> str:
    text = f"(line ->> '$.{name}')"
    numeric = NAMED[name].kind in {"whole", "number"}
    return f"CAST({text} AS DOUBLE)" if numeric else text


def _figure(figure: Figure) -> str:
    return _FUNCTIONS[figure.function].format(_value(figure.field) if figure.field else "")


def _condition(condition: Condition) -> str:
    value = _value(condition.field)
    texts = ["'" + each.replace("'", "''") + "'" for each in condition.values]
    match condition.operator:
        case "is":
            return f"{value} = {texts[0]}"
        case "is not":
            return f"{value} <> {texts[0]}"
        case "is one of":
            return f"{value} IN ({', '.join(texts)})"
        case "is known":
            return f"{value} IS NOT NULL"
