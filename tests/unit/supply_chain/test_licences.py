"""What we pass on in an image, we may pass on."""

from email.message import Message

import pytest

from supply_chain.licences import EXCEPTIONS, UNKNOWN, findings, installed_licence, is_allowed, licence_of
from supply_chain.lock import Locked
from supply_chain.products import products

PACKAGES = {each.name: each for product in products() if product.is_image for each in product.locked}


def package(**members: str) -> Message:
    made = Message()
    for name, value in members.items():
        made[name.replace("_", "-")] = value
    return made


def test_everything_in_the_images_is_allowed() -> None:
    """Or has its reason."""
    assert findings((name, installed_licence(each)) for name, each in PACKAGES.items()) == []


def test_each_exception_is_needed() -> None:
    """It is of a package that is in an image, under that licence, which is not allowed by itself."""
    for name, (licence, reason) in EXCEPTIONS.items():
        assert installed_licence(PACKAGES[name]) == licence
        assert not is_allowed(licence)
        assert reason


@pytest.mark.parametrize(
    "planted",
    [
        package(License_Expression="GPL-3.0-or-later"),
        package(License="AGPL-3.0-only"),
        package(Classifier="License :: OSI Approved :: GNU General Public License v3 (GPLv3)"),
        package(Classifier="License :: OSI Approved :: GNU Affero General Public License v3"),
        package(License_Expression="MIT AND GPL-2.0-only"),
        package(License="do as you like"),
        package(),
    ],
    ids=["expression", "text", "classifier", "unknown classifier", "both", "words", "nothing"],
)
def test_a_planted_package_is_found(planted: Message) -> None:
    """A licence that asks for more than a notice, or that nobody can read, is named."""
    (found,) = findings([("planted", licence_of(planted))])
    assert "planted comes under" in found


def test_an_exception_is_for_one_licence() -> None:
    """A package that changes its licence loses its exception."""
    (found,) = findings([("certifi", "AGPL-3.0-only")])
    assert "certifi comes under AGPL-3.0-only" in found


def test_what_counts_of_what_a_package_says() -> None:
    """Its expression before its text, that before its classifiers, and of these all."""
    both = package(License_Expression="MIT", License="GPL-3.0-only")
    assert licence_of(both) == "MIT"
    dual = package(License="Dual License")
    dual["Classifier"] = "License :: OSI Approved :: BSD License"
    dual["Classifier"] = "License :: OSI Approved :: Apache Software License"
    assert licence_of(dual) == "Apache-2.0 AND LicenseRef-BSD"
    dual["Classifier"] = "License :: Other/Proprietary License"
    assert UNKNOWN in licence_of(dual)
    assert not is_allowed(licence_of(dual))


def test_one_may_choose_where_there_is_a_choice() -> None:
    """Of ``OR`` one has to be allowed, of ``AND`` each."""
    assert is_allowed("GPL-3.0-only OR MIT")
    assert not is_allowed("GPL-3.0-only AND MIT")
    assert not is_allowed("MIT AND (GPL-2.0-only OR AGPL-3.0-only)")


def test_a_package_of_another_version_tells_nothing() -> None:
    """What is installed here has to be what is locked."""
    with pytest.raises(LookupError, match="is locked, and"):
        installed_licence(Locked("boto3", "0.0.1", (), frozenset()))
    with pytest.raises(LookupError, match="is not installed"):
        installed_licence(Locked("no-such-package", "1", (), frozenset()))
