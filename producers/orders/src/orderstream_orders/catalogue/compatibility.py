"""Whether a schema only grew: the one change allowed within a version is a new optional field.

Both directions count, because services are rolled out one by one: new code reads what old code wrote, from a
week of stream and years of archive, and old code reads what new code writes.
"""

from collections.abc import Iterator
from typing import Any

from orderstream_orders.catalogue.schemas import Schema

_VALUE_KEYWORDS = ("type", "format", "enum", "const", "default", "minimum", "maximum", "pattern")


def breaking_changes(committed: Schema, current: Schema) -> list[str]:
    """What makes two versions of one schema unable to read each other's data.

    Args:
        committed: The schema that data has been written under, self-contained (``$ref`` and ``$defs``).
        current: The schema as the code has it now.

    Returns:
        One line per change, with the path to it; empty where the schema only grew.
    """
    return list(_compare(committed, committed, current, current, "data"))


def _compare(old_root: Schema, old: Schema, new_root: Schema, new: Schema, path: str) -> Iterator[str]:
    old, new = _resolved(old_root, old), _resolved(new_root, new)
    for keyword in _VALUE_KEYWORDS:
        if _absent_or(old, keyword) != _absent_or(new, keyword):
            yield f"{path}: {keyword} changed from {_shown(old, keyword)} to {_shown(new, keyword)}"
    yield from _compare_branches(old_root, old, new_root, new, path)
    if ("items" in old) != ("items" in new):
        yield f"{path}[]: items are constrained on one side only"
    elif "items" in old:
        yield from _compare(old_root, old["items"], new_root, new["items"], f"{path}[]")
    yield from _compare_properties(old_root, old, new_root, new, path)


def _compare_branches(
    old_root: Schema, old: Schema, new_root: Schema, new: Schema, path: str
) -> Iterator[str]:
    old_branches, new_branches = old.get("anyOf", []), new.get("anyOf", [])
    if len(old_branches) != len(new_branches):
        yield f"{path}: takes {_kinds(new_root, new)} where it took {_kinds(old_root, old)}"
        return
    for old_branch, new_branch in zip(old_branches, new_branches, strict=True):
        yield from _compare(old_root, old_branch, new_root, new_branch, path)


def _compare_properties(
    old_root: Schema, old: Schema, new_root: Schema, new: Schema, path: str
) -> Iterator[str]:
    old_properties, new_properties = old.get("properties", {}), new.get("properties", {})
    old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
    for name in old_properties:
        if name not in new_properties:
            yield f"{path}.{name}: removed"
            continue
        if name in old_required and name not in new_required:
            yield f"{path}.{name}: no longer required, but older readers need it"
        yield from _compare(old_root, old_properties[name], new_root, new_properties[name], f"{path}.{name}")
    for name in sorted(new_required - old_required):
        yield f"{path}.{name}: required now, but older data may not have it"


def _resolved(root: Schema, schema: Schema) -> Schema:
    reference = schema.get("$ref")
    if reference is None:
        return schema
    target: Schema = root["$defs"][reference.rpartition("/")[2]]
    return {**target, **{key: value for key, value in schema.items() if key == "default"}}


def _absent_or(schema: Schema, keyword: str) -> tuple[Any, ...]:
    return (schema[keyword],) if keyword in schema else ()


def _shown(schema: Schema, keyword: str) -> str:
    return repr(schema[keyword]) if keyword in schema else "nothing"


def _kinds(root: Schema, schema: Schema) -> str:
    branches = [_resolved(root, branch) for branch in schema.get("anyOf", [schema])]
    return " or ".join(str(branch.get("type", branch.get("title", "anything"))) for branch in branches)
