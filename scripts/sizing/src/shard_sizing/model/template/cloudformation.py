"""Synthesized templates of CloudFormation: one file, or the folder that ``cdk synth`` writes."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import msgspec

from shard_sizing.errors import InputError
from shard_sizing.model.template.resolver import Reference, Stack, resolved

_ENDING: Final = ".template.json"
_ABSENT: Final = object()


class Resource:
    """One resource of a template; its properties are resolved when they are asked for.

    Args:
        stack: The template that declares it.
        logical_id: Its name there.
        templates: All templates that are read together.
    """

    def __init__(self, stack: Stack, logical_id: str, templates: "Templates") -> None:
        self.stack = stack
        self.logical_id = logical_id
        self.type: str = stack.resources[logical_id]["Type"]
        self._templates = templates

    @property
    def name(self) -> str:
        """Where it is declared and what it is, in words."""
        return f"{self.logical_id} ({self.type} of {self.stack.name})"

    def get(self, path: str, default: Any = None) -> Any:
        """Return a property, resolved; the names of nested ones are joined by points.

        Raises:
            InputError: It depends on what the templates do not say.
        """
        value: Any = self.stack.resources[self.logical_id].get("Properties") or {}
        for part in path.split("."):
            value = self._resolved(path, value)
            value = value.get(part, _ABSENT) if isinstance(value, Mapping) else _ABSENT
            if value is _ABSENT:
                return default
        found = self._resolved(path, value)
        return default if found is None else found

    def number(self, path: str, default: float) -> float:
        """Return a property that is a number, or its default.

        Raises:
            InputError: It is none, or depends on what the templates do not say.
        """
        found = self.get(path, default)
        try:
            return float(found)
        except (TypeError, ValueError) as error:
            raise InputError(self.name, f"its {path} is {found!s}, which is no number") from error

    def items(self, path: str) -> list[Any]:
        """Return a property that is a list, each element resolved; an empty one by default.

        Raises:
            InputError: It is none, or how long it is depends on what the templates do not say.
        """
        found = self.get(path, [])
        if not isinstance(found, list):
            raise InputError(self.name, f"its {path} is no list whose elements the templates say")
        # One that another stack exports is one, whether that stack is among the templates or not.
        elements = (each if _is_imported(each) else self._resolved(path, each) for each in found)
        return [each for each in elements if each is not None]

    def objects(self, path: str) -> list[Mapping[str, Any]]:
        """Return a property that is a list of objects.

        Raises:
            InputError: It is none, or depends on what the templates do not say.
        """
        found = self.items(path)
        if not all(isinstance(each, Mapping) for each in found):
            raise InputError(self.name, f"its {path} is no list of objects")
        return found

    def referenced(self, path: str) -> "Resource | None":
        """Return the resource that a property refers to, if it is among the templates."""
        found = self.get(path)
        return self._templates.resource(found) if isinstance(found, Reference) else None

    def of_type(self, kind: str) -> "Iterator[Resource]":
        """Iterate over the resources of a type, in all templates."""
        return (each for each in self._templates if each.type == kind)

    def is_(self, other: "Resource | None") -> bool:
        """Return whether another object stands for the same resource."""
        return other is not None and (self.stack.name, self.logical_id) == (
            other.stack.name,
            other.logical_id,
        )

    def _resolved(self, path: str, value: Any) -> Any:
        try:
            return resolved(value, self.stack, self._templates.exports)
        except InputError as error:
            raise InputError(self.name, f"its {path} {error.problem}") from error


def _is_imported(value: Any) -> bool:
    return isinstance(value, Mapping) and list(value) == ["Fn::ImportValue"]


class Templates:
    """Templates that belong together: what one exports, another imports.

    Args:
        stacks: The templates.
        region: The Region that ``AWS::Region`` stands for.
    """

    def __init__(self, stacks: list[Stack]) -> None:
        self._stacks = stacks
        self.exports = {
            output["Export"]["Name"]: (stack, output["Value"])
            for stack in stacks
            for output in stack.outputs.values()
            if isinstance(output.get("Export", {}).get("Name"), str)
        }

    def __iter__(self) -> Iterator[Resource]:
        """Iterate over the resources that are made: those whose condition holds."""
        for stack in self._stacks:
            for logical_id, resource in stack.resources.items():
                condition = resource.get("Condition")
                if condition is None or resolved({"Condition": condition}, stack, self.exports):
                    yield Resource(stack, logical_id, self)

    def resource(self, reference: Reference) -> Resource | None:
        """Return the resource that a reference means, if it is among the templates."""
        stack = next((each for each in self._stacks if each.name == reference.stack), None)
        if stack is None or reference.logical_id not in stack.resources:
            return None
        return Resource(stack, reference.logical_id, self)


def load_templates(path: Path, region: str) -> Templates:
    """Read a template, or every ``*.template.json`` of a folder.

    Args:
        path: A file, or the folder that ``cdk synth`` writes.
        region: The Region that ``AWS::Region`` stands for.

    Raises:
        InputError: There is none, or what is there is no template.
    """
    files = sorted(path.glob(f"*{_ENDING}")) if path.is_dir() else [path]
    if not files:
        raise InputError(str(path), f"no template: the folder has no file that ends in {_ENDING}")
    return Templates([_stack(each, region) for each in files])


def _stack(path: Path, region: str) -> Stack:
    try:
        found = msgspec.json.decode(path.read_bytes())
    except OSError as error:
        raise InputError(str(path), f"no template: {error.strerror}") from error
    except msgspec.DecodeError as error:
        raise InputError(str(path), f"no template of CloudFormation in JSON: {error}") from error
    resources = found.get("Resources") if isinstance(found, dict) else None
    if not isinstance(resources, dict) or not resources:
        raise InputError(str(path), "no template of CloudFormation: it has no Resources")
    for logical_id, resource in resources.items():
        if not isinstance(resource, dict) or not isinstance(resource.get("Type"), str):
            raise InputError(str(path), f"no template of CloudFormation: {logical_id} has no Type")
    parts = {name: found.get(name) or {} for name in ("Parameters", "Conditions", "Mappings", "Outputs")}
    if wrong := [name for name, part in parts.items() if not isinstance(part, dict)]:
        raise InputError(str(path), f"no template of CloudFormation: its {wrong[0]} have no names")
    return Stack(
        path.name.removesuffix(_ENDING).removesuffix(".json"),
        region,
        resources,
        parts["Parameters"],
        parts["Conditions"],
        parts["Mappings"],
        parts["Outputs"],
    )
