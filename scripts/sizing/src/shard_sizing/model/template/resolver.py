"""The intrinsic functions of CloudFormation, as far as a template alone can answer them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from shard_sizing.errors import InputError

_VARIABLE: Final = re.compile(r"\$\{([^!}][^}]*)\}")
_MOST_NESTED: Final = 50  # a template nests a few; more is one that refers to itself


@dataclass(frozen=True, slots=True)
class Stack:
    """One template.

    Attributes:
        name: The stack's name.
        region: The Region that ``AWS::Region`` stands for.
        resources: By logical id.
        parameters: By name.
        conditions: By name.
        mappings: By name.
        outputs: By name.
    """

    name: str
    region: str
    resources: Mapping[str, Any]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    conditions: Mapping[str, Any] = field(default_factory=dict)
    mappings: Mapping[str, Any] = field(default_factory=dict)
    outputs: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reference:
    """A resource, or something of it that CloudFormation knows once it is made.

    Attributes:
        stack: The template that declares it; empty for what AWS gives, as the zones of a Region.
        logical_id: Its name there.
        attribute: Which of its attributes; empty for the resource itself.
    """

    stack: str
    logical_id: str
    attribute: str = ""


Exports = Mapping[str, tuple[Stack, Any]]
"""What stacks export: by its name, the stack and the value."""


def resolved(value: Any, stack: Stack, exports: Exports) -> Any:
    """Return a value without intrinsic functions at its top; what is nested in it is left as it is.

    Args:
        value: A value of a template.
        stack: The template.
        exports: What the templates export to one another.

    Returns:
        The value; a ``Reference`` for what exists once the stack does; None for ``AWS::NoValue``.

    Raises:
        InputError: The templates do not say. Its problem continues a sentence that begins with the property.
    """
    return _Resolver(stack, exports).value(value, 0)


class _Resolver:
    def __init__(self, stack: Stack, exports: Exports) -> None:
        self._stack = stack
        self._exports = exports
        self._functions: dict[str, Callable[[Any, int], Any]] = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::GetAtt": self._attribute,
            "Fn::ImportValue": self._imported,
            "Fn::If": self._if,
            "Fn::Equals": lambda pair, depth: self.value(pair[0], depth) == self.value(pair[1], depth),
            "Fn::And": lambda each, depth: all(self.value(one, depth) for one in each),
            "Fn::Or": lambda each, depth: any(self.value(one, depth) for one in each),
            "Fn::Not": lambda one, depth: not self.value(one[0], depth),
            "Fn::FindInMap": self._found_in_map,
            "Fn::Join": self._joined,
            "Fn::Sub": self._substituted,
            "Fn::Select": self._selected,
            "Fn::Split": self._split,
            "Fn::GetAZs": lambda _, __: Reference("", "zones"),
        }

    def value(self, value: Any, depth: int) -> Any:
        if depth > _MOST_NESTED:
            raise InputError("", "refers to itself")
        if not isinstance(value, dict) or len(value) != 1:
            return value
        ((name, argument),) = value.items()
        if name not in self._functions:
            if name.startswith("Fn::"):
                raise InputError("", f"uses {name}, which no template alone can answer")
            return value
        try:
            return self._functions[name](argument, depth + 1)
        except (TypeError, KeyError, IndexError, ValueError, AttributeError) as error:
            raise InputError("", f"uses {name} as CloudFormation does not") from error

    def _ref(self, name: str, _: int) -> Any:
        if name == "AWS::NoValue":
            return None
        if name == "AWS::Region":
            return self._stack.region
        if name.startswith("AWS::"):
            return Reference("", name)
        if name in self._stack.resources:
            return Reference(self._stack.name, name)
        parameter = self._stack.parameters.get(name)
        if parameter is None:
            raise InputError("", f"refers to {name}, which the template does not declare")
        if "Default" not in parameter:
            raise InputError("", f"refers to the parameter {name}, which has no default; give it one")
        return parameter["Default"]

    def _condition(self, name: Any, depth: int) -> Any:
        # A policy document has a Condition, too: an object, not a name.
        if not isinstance(name, str):
            return {"Condition": name}
        if name not in self._stack.conditions:
            raise InputError("", f"names the condition {name}, which the template does not declare")
        return self.value(self._stack.conditions[name], depth)

    def _attribute(self, argument: Any, _: int) -> Reference:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        if logical_id not in self._stack.resources:
            raise InputError("", f"refers to {logical_id}, which the template does not declare")
        return Reference(self._stack.name, logical_id, str(attribute))

    def _imported(self, argument: Any, depth: int) -> Any:
        name = self.value(argument, depth)
        if name not in self._exports:
            raise InputError("", f"is imported from {name}, which no given template exports")
        stack, value = self._exports[name]
        return _Resolver(stack, self._exports).value(value, depth)

    def _if(self, argument: Any, depth: int) -> Any:
        condition, yes, no = argument
        return self.value(yes if self._condition(condition, depth) else no, depth)

    def _found_in_map(self, argument: Any, depth: int) -> Any:
        mapping, first, second = (self.value(each, depth) for each in argument[:3])
        return self._stack.mappings[mapping][first][second]

    def _joined(self, argument: Any, depth: int) -> Any:
        separator, parts = argument[0], self.value(argument[1], depth)
        values = [self.value(each, depth) for each in parts]
        unknown = next((each for each in values if isinstance(each, Reference)), None)
        return unknown or separator.join(map(str, values))

    def _substituted(self, argument: Any, depth: int) -> Any:
        text, given = (argument, {}) if isinstance(argument, str) else argument
        for name in _VARIABLE.findall(text):
            of = {"Fn::GetAtt": name} if "." in name else {"Ref": name}
            value = self.value(given.get(name, of), depth)
            if isinstance(value, Reference):
                return value
            text = text.replace(f"${{{name}}}", str(value))
        return text

    def _selected(self, argument: Any, depth: int) -> Any:
        index, choices = self.value(argument[0], depth), self.value(argument[1], depth)
        return choices if isinstance(choices, Reference) else self.value(choices[int(index)], depth)

    def _split(self, argument: Any, depth: int) -> Any:
        text = self.value(argument[1], depth)
        return text if isinstance(text, Reference) else text.split(argument[0])
