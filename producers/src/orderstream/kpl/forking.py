"""What a fork does to producers: their threads stay with the parent, so the child's copies must refuse."""

import os
from typing import Protocol
from weakref import WeakSet


class Forkable(Protocol):
    """Something whose copy in a forked child needs to know."""

    def forked(self) -> None:
        """This is the child: no lock may be trusted, no thread is there."""


_alive: "WeakSet[Forkable]" = WeakSet()


def watch(forkable: Forkable) -> None:
    """Call ``forked`` in every child that is forked from now on."""
    _alive.add(forkable)


def _tell_the_child() -> None:
    for forkable in list(_alive):
        forkable.forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell_the_child)
