"""Checks the values of a configuration: one wording and one error for every field of every one."""

import inspect
from typing import Any, Final

from orderstream.errors import OrderstreamError

_ENDLESS: Final = float("inf")


class ConfigError(OrderstreamError, ValueError):
    """A configuration value is out of range.

    Args:
        field: The field's name.
        value: What it was set to.
        allowed: What it may be, in words.
    """

    def __init__(self, field: str, value: object, allowed: str) -> None:
        self.field = field
        self.value = value
        self.allowed = allowed
        super().__init__(f"{field}={value!r} is not possible: set it to {allowed}")


class ConfigChecks:
    """Checks the fields of a class, as they are annotated: a field of type ``int`` takes whole numbers only.

    Args:
        config: An instance.
        prefix: Put before the name of a field in errors, where the user knows it by another name; the name is
            then in upper case, as a variable of the environment is.

    Raises:
        ConfigError: Each check does, if its field's value is not allowed.
    """

    def __init__(self, config: Any, prefix: str = "") -> None:
        self._config = config
        self._prefix = prefix
        # Those of a class that it extends count as well.
        self._kinds = {
            name: kind
            for kept in reversed(type(config).__mro__)
            for name, kind in inspect.get_annotations(kept).items()
        }

    def within(self, field: str, low: float, high: float = _ENDLESS) -> None:
        """A number from ``low`` to ``high``, both included."""
        if not low <= self._number(field) <= high:
            raise self.error(field, f"{low} or more" if high == _ENDLESS else f"{low} to {high}")

    def above_zero(self, field: str, high: float = _ENDLESS) -> None:
        """A number above 0, up to ``high``."""
        if not 0 < self._number(field) <= high:
            raise self.error(field, "more than 0" if high == _ENDLESS else f"more than 0, to {high}")

    def one_of(self, field: str, *allowed: object) -> None:
        """One of these values, and of their type."""
        value = getattr(self._config, field)
        if not any(value is each or (isinstance(value, str) and value == each) for each in allowed):
            raise self.error(field, " or ".join(map(repr, allowed)))

    def text_or_none(self, field: str, default: str) -> None:
        """Text that is not empty, or None for a default.

        Args:
            field: The field.
            default: What None means, in words.
        """
        value = getattr(self._config, field)
        if value is not None and not (isinstance(value, str) and value):
            raise self.error(field, f"text, or None for {default}")

    def error(self, field: str, allowed: str) -> ConfigError:
        """The error of a field whose value is not allowed."""
        name = f"{self._prefix}{field.upper()}" if self._prefix else field
        return ConfigError(name, getattr(self._config, field), allowed)

    def _number(self, field: str) -> float:
        value: object = getattr(self._config, field)
        whole = self._kinds[field] in (int, int | None)
        if isinstance(value, bool) or not isinstance(value, int if whole else (int, float)):
            raise self.error(field, "a whole number" if whole else "a number")
        return value
