"""Names under which a new process finds what this one was handed: ``module:function``."""

import importlib
from typing import Any

from orderstream_consumer.consumer.errors import HandlerNotImportableError


def load(what: str, name: str) -> Any:
    """Import what a name means.

    Args:
        what: Whose name it is, for the error, e.g. ``"handler"``.
        name: ``module:function``, or ``module:Class.attribute``.

    Raises:
        HandlerNotImportableError: There is no such thing.
    """
    module, _, path = name.partition(":")
    if not module or not path:
        raise HandlerNotImportableError(what, repr(name), "it is no 'module:function'")
    try:
        found: Any = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except (ImportError, AttributeError) as error:
        raise HandlerNotImportableError(what, repr(name), str(error)) from error
    return found


def loaded(what: str, given: Any) -> Any:
    """The object, or the one that its name refers to: a text is a name, anything else is the object.

    Raises:
        HandlerNotImportableError: It is a name that means nothing.
    """
    return load(what, given) if isinstance(given, str) else given


def name_of(what: str, given: object) -> str:
    """The name that means a function or a class.

    Args:
        what: What it is, for the error, e.g. ``"handler"``.
        given: The function or class, or its name already.

    Raises:
        HandlerNotImportableError: A new process could not import it.
    """
    if isinstance(given, str):
        load(what, given)
        return given
    module, path = getattr(given, "__module__", None), getattr(given, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(path, str):
        raise HandlerNotImportableError(what, repr(given), "it is no function of a module")
    if module == "__main__":
        reason = "it is defined in the script that was started, whose name another process does not have"
        raise HandlerNotImportableError(what, path, reason)
    if "<" in path:
        raise HandlerNotImportableError(what, path, "it is defined inside a function, or has no name")
    if load(what, f"{module}:{path}") is not given:
        raise HandlerNotImportableError(what, path, f"{module} has another object of that name")
    return f"{module}:{path}"
