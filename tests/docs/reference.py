"""Writes docs/producer-api.md from the docstrings of what the SDK exports: ``make reference``."""

import importlib
import inspect
import re
import types
from pathlib import Path

import orderstream
import orderstream.testing

PAGE = Path(__file__).parents[2] / "docs" / "producer-api.md"
HEAD = """# The producer SDK, name by name

Made from the docstrings by `make reference`. The first part is imported from `orderstream`, the rest from the
module that the heading names; where to begin stands in [the SDK's own page](../producers/sdk/README.md).
"""
BESIDE = {
    "orderstream.messages": ("DataTooLargeError", "compressed", "decode_envelope", "uncompressed"),
    "orderstream.aggregation": ("AggregateCorruptError", "Deaggregated", "deaggregate", "hash_key_of"),
    "orderstream.observability.metrics": (
        "Kind",
        "Exporter",
        "PrometheusExporter",
        "Collected",
        "Point",
        "Reading",
    ),
    "orderstream.observability.metrics.cloudwatch": ("CloudWatchExporter",),
    "orderstream.observability.metrics.otel": ("OpenTelemetryExporter",),
    "orderstream.testing": tuple(orderstream.testing.__all__),
    "orderstream.observability.tracing": (
        "NoTracer",
        "Span",
        "TraceContext",
        "Tracer",
        "traceparent_from_xray",
        "xray_trace_id",
        "xray_traceparent",
    ),
    "orderstream.messages.spans": ("SendSpans",),
    "orderstream.observability.tracing.otel": ("OpenTelemetryTracer",),
    "orderstream.observability.tracing.xray": ("XRayTracer",),
}
# Names whose value is an alias, not something with a docstring of its own.
ALIASES = {"Partitioner": "`Callable[[UserRecord], int | None]`: chooses a record's explicit hash key."}


def page() -> str:
    """Return the whole page."""
    parts = [HEAD, *(section(orderstream, name) for name in sorted(orderstream.__all__, key=str.lower))]
    for module, names in BESIDE.items():
        parts.append(f"\n# From {module}\n")
        parts += [section(importlib.import_module(module), name) for name in names]
    return "".join(parts)


def section(module: types.ModuleType, name: str) -> str:
    """Return what the page says of one name."""
    value = getattr(module, name)
    if name in ALIASES:
        return f"\n## {name}\n\n{ALIASES[name]}\n"
    parts = [f"\n## {name}\n", text(value)]
    if inspect.isclass(value) and not issubclass(value, Exception):
        methods = [member for member in vars(value).values() if isinstance(member, types.FunctionType)]
        for method in methods:
            if not method.__name__.startswith("_"):
                parts.append(f"\n### {name}.{method.__name__}\n\n```python\n{declaration(method)}\n```\n")
                parts.append(text(method))
    elif inspect.isfunction(value):
        parts.insert(1, f"\n```python\n{declaration(value)}\n```\n")
    return "".join(parts)


def declaration(function: types.FunctionType) -> str:
    """Return a function's first line."""
    kind = "async def" if inspect.iscoroutinefunction(function) else "def"
    signature = re.sub(r"\b(?:\w+\.)+(?=\w)", "", str(inspect.signature(function))).replace("'", "")
    return f"{kind} {function.__name__}{signature}"


def text(documented: object) -> str:
    """Return a docstring as Markdown: its sections become blocks, its markup becomes Markdown's."""
    documentation = inspect.getdoc(documented) or ""
    documentation = documentation.replace("``", "`")
    lines = []
    for line in documentation.splitlines():
        if heading := re.fullmatch(r"(Args|Attributes|Raises|Returns|Yields|Example):", line):
            lines.append(f"**{heading[1]}**\n")
        elif line.strip() == "::":
            continue
        elif item := re.fullmatch(r"    (\w+): (.*)", line):
            lines.append(f"- `{item[1]}`: {item[2]}")
        elif line.startswith("        ") and "::" not in documentation:
            lines.append("  " + line.strip())
        elif line.startswith("    ") and "::" not in documentation:
            lines.append(line.strip())
        else:
            lines.append(line)
    return "\n" + "\n".join(lines).strip() + "\n"


if __name__ == "__main__":
    PAGE.write_text(page())
