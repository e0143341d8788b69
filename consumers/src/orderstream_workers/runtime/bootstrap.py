"""The composition root: finds an application by its name, wires it, and runs it on an engine."""

import logging
import threading
from collections.abc import Callable
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Final

from orderstream_workers.runtime import applications
from orderstream_workers.runtime.application import Application
from orderstream_workers.runtime.resources import Resources

logger = logging.getLogger(__name__)

APPLICATIONS: Final = tuple(
    sorted(module.name.replace("_", "-") for module in iter_modules(applications.__path__))
)
"""Every application that there is: one per module of ``runtime/applications``."""


def build_application(name: str, resources: Resources) -> Application:
    """Wire an application.

    Args:
        name: One of ``APPLICATIONS``.
        resources: What it is made of.
    """
    module = import_module(f"{applications.__name__}.{name.replace('-', '_')}")
    build: Callable[[Resources], Application] = module.build
    return build(resources)
