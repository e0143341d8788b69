"""What is delivered: images and wheels, each with the lock file that it is built from."""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from supply_chain.lock import ROOT, Locked, needed_by, read_lock

IN_THE_IMAGE = ("producers/sdk", "producers/orders", "consumers/library", "consumers/workers")
"""The distributions that the Dockerfile installs."""

IMAGES = {"image": "orderstream-image", "kcl": "orderstream-kcl-image"}
"""By the build argument ``REQUIREMENTS``."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution of the workspace.

    Attributes:
        name: Its name.
        version: Its version.
        ours: The other distributions of ours that it depends on, extras included.
    """

    name: str
    version: str
    ours: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Product:
    """Something that is delivered.

    Attributes:
        name: What it is called.
        version: Its version.
        is_image: Whether it is a container image; a wheel otherwise.
        asks_for: Which distributions of ours it asks for itself.
        parts: Those, and those that they ask for in turn.
        locked: Everything else that is installed with it.
    """

    name: str
    version: str
    is_image: bool
    asks_for: tuple[str, ...]
    parts: tuple[Distribution, ...]
    locked: tuple[Locked, ...]


def distributions() -> dict[str, Distribution]:
    """Every distribution of the workspace by its name."""
    files = sorted(ROOT.glob("*/*/pyproject.toml"))
    projects = [tomllib.loads(file.read_text()).get("project") for file in files]
    made = [project for project in projects if project]
    names = {project["name"] for project in made}
    return {project["name"]: _distribution(project, names) for project in made}


def _distribution(project: dict[str, Any], names: set[str]) -> Distribution:
    extras = project.get("optional-dependencies", {}).values()
    wanted = {Requirement(each).name for group in (project["dependencies"], *extras) for each in group}
    return Distribution(
        project["name"], project["version"], tuple(sorted(wanted & names - {project["name"]}))
    )


def products() -> Iterator[Product]:
    """Each image, then each wheel with all of its extras."""
    known = distributions()
    in_the_image = tuple(known[_name(folder)] for folder in IN_THE_IMAGE)
    for requirements, name in IMAGES.items():
        locked = read_lock((ROOT / f"requirements-{requirements}.lock").read_text())
        names = tuple(part.name for part in in_the_image)
        yield Product(name, known["orderstream-workers"].version, True, names, in_the_image, locked)
    everything = _everything()
    for distribution in known.values():
        parts = tuple(known[name] for name in sorted(_closure(distribution.name, known)))
        names = (distribution.name, *(part.name for part in parts))
        needed = {each.name: each for name in names for each in needed_by(name, everything)}
        locked = tuple(needed[name] for name in sorted(needed))
        yield Product(distribution.name, distribution.version, False, distribution.ours, parts, locked)


def _everything() -> tuple[Locked, ...]:
    """The workspace's lock, and what KCL's extra adds to it."""
    locks = [read_lock((ROOT / name).read_text()) for name in ("requirements-kcl.lock", "requirements.lock")]
    merged: dict[str, Locked] = {}
    for each in (one for lock in locks for one in lock):
        before = merged.get(each.name)
        wanted_by = each.wanted_by | (before.wanted_by if before else frozenset())
        merged[each.name] = Locked(each.name, each.version, each.hashes, wanted_by)
    return tuple(merged[name] for name in sorted(merged))


def _closure(name: str, known: dict[str, Distribution]) -> set[str]:
    return {one for other in known[name].ours for one in (other, *_closure(other, known))}


def _name(folder: str) -> str:
    project: dict[str, Any] = tomllib.loads((ROOT / Path(folder) / "pyproject.toml").read_text())["project"]
    return str(project["name"])
