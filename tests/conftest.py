"""How all tests run: what takes longest first, by no clock, and without imports in the collected garbage."""

import gc
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest.

    What begins last then keeps one worker for seconds, and not for minutes after the others have ended.
    """
    paths = [_TESTS / path for path in _LONGEST]

    def turn(item: pytest.Item) -> int:
        within = {item.path, *item.path.parents}
        return next((turn for turn, index in enumerate(paths) if index in within), len(paths))

    items.sort(key=turn)


def pytest_collection_finish() -> None:
    """Keep what was imported out of every collection of garbage: tests that ask for one wait for it."""
    gc.collect()
    gc.freeze()
