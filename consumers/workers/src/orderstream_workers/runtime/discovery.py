"""Finds the stream applications, each a file with declaration and wiring, and puts the pipeline together.

A file is a module with ``DECLARATION``, a ``StreamApplication``, and ``build``, which wires it. It is

- in ``runtime/applications``: what the pipeline consists of,
- in another distribution, which names the module as an entry point ``orderstream.applications``, or
- in the folder of the setting ``applications_folder``.
"""

import sys
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.metadata import entry_points
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from pkgutil import iter_modules
from types import ModuleType
from typing import Final, Protocol, cast

from orderstream_workers.runtime import applications
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import StreamApplication, Topology, TopologyError
from orderstream_workers.runtime.topology.pipeline import API, OPERATED, PAYMENT_WORKER

_GROUP: Final = "orderstream.applications"


class ApplicationModule(Protocol):
    """What an application's file has."""

    DECLARATION: StreamApplication
    """What it is and what it needs."""

    def build(self, resources: Resources) -> Application:
        """Wire it."""


def application_names(settings: Settings) -> tuple[str, ...]:
    """Every application that there is, without importing one.

    Raises:
        TopologyError: the folder of the settings is none, or has an application that is there already.
    """
    return tuple(sorted(_found(settings)))


def application_module(name: str, settings: Settings) -> ApplicationModule:
    """An application's file.

    Args:
        name: One of ``application_names``.
        settings: Name the folder of more applications.

    Raises:
        TopologyError: there is none, it cannot be imported, or lacks one of the two.
    """
    return _module(name, _found(settings))


def _module(name: str, found: Mapping[str, Callable[[], ModuleType]]) -> ApplicationModule:
    if name not in found:
        raise TopologyError(f"there is no application {name}: there are {', '.join(sorted(found))}")
    try:
        module = found[name]()
    except (ImportError, SyntaxError) as error:
        raise TopologyError(f"the application {name} cannot be imported: {error}") from error
    except Exception as error:  # importing a third party's file may raise anything
        raise TopologyError(
            f"the application {name} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    declared = getattr(module, "DECLARATION", None)
    where = getattr(module, "__file__", module.__name__)
    if not isinstance(declared, StreamApplication) or not callable(getattr(module, "build", None)):
        raise TopologyError(
            f"{where} has no DECLARATION, a StreamApplication, with a function `build` beside it"
        )
    if declared.name != name:
        raise TopologyError(f"{where} declares the application {declared.name}, and is found as {name}")
    return cast("ApplicationModule", module)


def topology(settings: Settings) -> Topology:
    """The whole pipeline. It imports every application.

    Raises:
        TopologyError: an application cannot be read, or two declarations contradict each other.
    """
    # Found once: each search reads the metadata of every distribution that is installed.
    found = _found(settings)
    declared = [_module(name, found).DECLARATION for name in sorted(found)]
    return Topology(processes=(API, *declared, PAYMENT_WORKER), operated=OPERATED)


def _found(settings: Settings) -> Mapping[str, Callable[[], ModuleType]]:
    """What imports each application."""
    found: dict[str, Callable[[], ModuleType]] = {
        point.name: point.load for point in entry_points(group=_GROUP)
    }
    # What is here keeps its name: another distribution cannot put itself in its place.
    for own in iter_modules(applications.__path__):
        found[_name(own.name)] = partial(import_module, f"{applications.__name__}.{own.name}")
    if settings.applications_folder:
        folder = Path(settings.applications_folder)
        if not folder.is_dir():
            raise TopologyError(f"ORDERSTREAM_APPLICATIONS_FOLDER names {folder}, which is no folder")
        for file in sorted(folder.glob("*.py")):
            name = _name(file.stem)
            if name in found:
                raise TopologyError(f"{file} is called as the application {name}, which is there already")
            found[name] = partial(_loaded, file)
    return found


def _name(module: str) -> str:
    return module.replace("_", "-")


def _loaded(file: Path) -> ModuleType:
    """Import a file, once: every caller must get the same objects."""
    name = f"{_GROUP}:{file.resolve()}"
    if name not in sys.modules:
        spec = spec_from_file_location(name, file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{file} is no Python file")
        module = module_from_spec(spec)
        sys.modules[name] = module
        try:
            spec.loader.exec_module(module)
        except BaseException:
            del sys.modules[name]
            raise
    return sys.modules[name]
