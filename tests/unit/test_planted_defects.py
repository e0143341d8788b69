"""Planted defects: a rename moves them along, or this fails long before ``make planted-bugs`` runs."""

from pathlib import Path

import pytest

import orderstream
import orderstream_consumer
import orderstream_orders
import orderstream_workers
from planted import engine, pipeline, producer
from planted.bug import Bug

PACKAGES = (orderstream, orderstream_consumer, orderstream_orders, orderstream_workers)
SOURCES = {package.__name__: Path(str(package.__file__)).parent for package in PACKAGES}
TESTS = Path(__file__).parents[1]
BUGS = [*engine.BUGS, *pipeline.BUGS, *producer.BUGS]


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_what_a_defect_replaces_is_in_its_module_once(bug: Bug) -> None:
    """Otherwise the defect cannot be planted, and its tests are judged by nothing."""
    package, _, path = bug.module.partition("/")
    assert (SOURCES[package] / path).read_text(encoding="utf-8").count(bug.right) == 1


@pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.name)
def test_the_tests_that_must_find_a_defect_exist(bug: Bug) -> None:
    """A test that was renamed finds nothing."""
    assert all((TESTS.parent / path).exists() or (TESTS / path).exists() for path in bug.tests.split())
