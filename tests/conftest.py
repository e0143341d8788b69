"""How all tests run: what takes longest first, by no clock, and without imports in the collected garbage."""

import gc
import os
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# On a busy machine any example is slow, and what a test proves does not depend on that.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

_TESTS = Path(__file__).parent

_LONGEST = (
    "e2e/test_chaos.py",
    "e2e/test_crash_windows.py",
    "e2e/test_engines.py",
    "e2e/test_demo.py",
    "e2e/test_resharding.py",
    "property/kpl/test_pipeline_simulation.py",
    "property/engine/test_simulation.py",
    "integration/image/test_commands.py",
)
"""Files that one worker is busy with for longest."""

_WORKER = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
_WORKERS = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))


class _Folder(pytest.Dir):
    """A folder of which each worker reads another part first.

    Each worker imports every test file, and rewrites the assertions of those that none has rewritten yet.
    From different beginnings they rewrite a part each; from the same one, each would rewrite all.
    """

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        found = list(super().collect())
        first = len(found) * _WORKER // _WORKERS
        return found[first:] + found[:first]


def pytest_collect_directory(path: Path, parent: pytest.Collector) -> pytest.Collector:
    """Read every folder from the worker's own beginning on."""
    return _Folder.from_parent(parent, path=path)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, in the same order in every worker.

    What begins last then keeps one worker for seconds, and not for minutes after the others have ended.
    """
    paths = [_TESTS / path for path in _LONGEST]

    def turn(item: pytest.Item) -> tuple[int, Path]:
        within = {item.path, *item.path.parents}
        number = next((turn for turn, index in enumerate(paths) if index in within), len(paths))
        return number, item.path

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """Keep what was imported out of every collection of garbage: tests that ask for one wait for it."""
    gc.collect()
    gc.freeze()
