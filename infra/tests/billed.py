"""Templates without what no price depends on, with which ``shard-sizing whatif --template`` is tested."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

FOLDER: Final = Path(__file__).parents[1] / "billed"
"""A folder for each size, as ``cdk.out`` is one."""

_NEVER_BILLED: Final = frozenset(
    {
        "AccessLogSettings",
        "AssumeRolePolicyDocument",
        "ContainerDefinitions",
        "DashboardBody",
        "DependsOn",
        "Description",
        "KeyPolicy",
        "Policies",
        "PolicyDocument",
        "QueryString",
        "Tags",
    }
)
"""Documents of rights, words for people, and what runs inside of a task."""


def billed(template: Mapping[str, Any]) -> str:
    """A template as the folder holds it."""
    return json.dumps(_without(template), indent=1, sort_keys=True) + "\n"


def _without(value: Any) -> Any:
    match value:
        case dict():
            return {key: _without(each) for key, each in value.items() if key not in _NEVER_BILLED}
        case list():
            return [_without(each) for each in value]
        case _:
            return value


def kept() -> dict[str, dict[str, str]]:
    """What the folder holds, by size and stack."""
    return {
        size.name: {
            file.name.removesuffix(".template.json"): file.read_text(encoding="utf-8")
            for file in size.glob("*.template.json")
        }
        for size in FOLDER.iterdir()
    }


def keep(size: str, templates: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the templates of a size anew."""
    folder = FOLDER / size
    folder.mkdir(parents=True, exist_ok=True)
    for file in folder.iterdir():
        file.unlink()
    for stack, template in templates.items():
        (folder / f"{stack}.template.json").write_text(billed(template), encoding="utf-8")
