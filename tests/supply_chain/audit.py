"""Asks an advisory database about everything that is delivered: ``python -m supply_chain.audit``.

::

    0   the database was asked about every package, and knows of nothing
    1   it knows of something: named, with the version that mends it
    3   nothing was checked: the database cannot be had here

A mirror of an index may answer every question with "nothing known". So a package with a well-known
vulnerability is asked about first: where that is not known, nothing else counts.
"""

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from supply_chain.lock import Locked
from supply_chain.products import products

CANARY = Locked("urllib3", "1.24.1", (), frozenset())
"""Known to be vulnerable since 2019 (CVE-2019-11324)."""

CLEAN, VULNERABLE, NOT_CHECKED = 0, 1, 3

Ask = Callable[[Sequence[Locked]], dict[str, Any]]
"""Gives pip-audit's report on packages.

Raises:
    NotCheckedError: the database did not answer.
"""


class NotCheckedError(Exception):
    """The database cannot be asked.

    Args:
        reason: Why not.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(f"NOT CHECKED: {reason}; nothing is known of vulnerabilities")


def pip_audit(service: str) -> Ask:
    """Ask with pip-audit.

    Args:
        service: ``pypi`` or ``osv``.
    """

    def ask(packages: Sequence[Locked]) -> dict[str, Any]:
        with tempfile.TemporaryDirectory(prefix="audit-") as folder:
            requirements, report = Path(folder) / "requirements.txt", Path(folder) / "report.json"
            requirements.write_text("".join(f"{one.name}=={one.version}\n" for one in packages))
            command = [sys.executable, "-m", "pip_audit", "--vulnerability-service", service, "--no-deps"]
            command += ["--disable-pip", "--progress-spinner", "off", "--cache-dir", f"{folder}/cache"]
            command += ["--format", "json", "--output", str(report), "--requirement", str(requirements)]
            ended = subprocess.run(command, check=False, capture_output=True, text=True)
            if not report.exists():
                last = ended.stderr.strip().splitlines()[-1:]
                raise NotCheckedError(f"{service} does not answer ({' '.join(last)[:200]})")
            found: dict[str, Any] = json.loads(report.read_text())
            return found

    return ask


def audited(packages: Sequence[Locked], ask: Ask) -> list[str]:
    """What is known of packages: a sentence each.

    Args:
        packages: To ask about.
        ask: Asks the database.

    Raises:
        NotCheckedError: the database did not answer, has no data, or left a package out.
    """
    if not any(each.get("vulns") for each in ask([CANARY])["dependencies"]):
        raise NotCheckedError(
            f"the database knows of nothing in {CANARY.name} {CANARY.version}, so it has no data"
        )
    reports = ask(packages)["dependencies"]
    answered = {(each["name"], each["version"]) for each in reports if "vulns" in each}
    if left_out := sorted(each.name for each in packages if (each.name, each.version) not in answered):
        raise NotCheckedError(f"the database was not asked about {', '.join(left_out)}")
    return list(_sentences(reports))


def _sentences(reports: Sequence[dict[str, Any]]) -> Iterator[str]:
    for package in reports:
        for known in package["vulns"]:
            mended = ", ".join(known.get("fix_versions", ())) or "no version yet"
            yield f"{package['name']} {package['version']}: {known['id']}, mended in {mended}"


def delivered() -> list[Locked]:
    """Every package of every image and wheel, once."""
    found = {(each.name, each.version): each for product in products() for each in product.locked}
    return [found[key] for key in sorted(found)]


def main() -> int:
    """Ask the first service that has data."""
    packages, refusals = delivered(), []
    for service in ("osv", "pypi"):
        try:
            findings = audited(packages, pip_audit(service))
        except NotCheckedError as error:
            refusals.append(f"{service}: {error}")
            continue
        print(
            *findings,
            f"{service} was asked about {len(packages)} packages: {len(findings)} findings",
            sep="\n",
        )
        return VULNERABLE if findings else CLEAN
    print(*refusals, sep="\n", file=sys.stderr)
    return NOT_CHECKED


if __name__ == "__main__":
    sys.exit(main())
