"""The order in which tests run: whatever waits longest begins first."""

from pathlib import Path

import pytest

_END_TO_END = Path(__file__).parent / "e2e"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the whole pipelines: they spend most of their time waiting, while the others compute."""
    items.sort(key=lambda item: _END_TO_END not in item.path.parents)
