"""What is delivered is listed: each image and each wheel, from the lock files."""

import json
import re
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from supply_chain.lock import ROOT, needed_by, read_lock
from supply_chain.products import IMAGES, distributions, products
from supply_chain.sbom import rendered

PRODUCTS = tuple(products())


@pytest.fixture(scope="module")
def bills() -> dict[str, str]:
    """Those of the images, and of one wheel."""
    names = {*IMAGES.values(), "orderstream"}
    return {product.name: rendered(product) for product in PRODUCTS if product.name in names}


def test_every_image_and_every_wheel_has_one() -> None:
    """The images of the Dockerfile's build argument, and every distribution."""
    assert {each.name for each in PRODUCTS} == {*IMAGES.values(), *distributions()}
    assert {f"requirements-{name}.lock" for name in IMAGES} <= {path.name for path in ROOT.glob("*.lock")}


def test_it_is_valid(bills: dict[str, str]) -> None:
    """By CycloneDX' own schema, strictly. ``make sbom`` checks the others, which takes longer."""
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for name in ("orderstream-image", "orderstream"):
        assert validator.validate_str(bills[name]) is None
    bill = json.loads(bills["orderstream"])
    bill["components"][0]["colour"] = "blue"
    assert validator.validate_str(json.dumps(bill)) is not None


def test_the_same_files_give_the_same_bytes(bills: dict[str, str]) -> None:
    """No time and no chance is in it."""
    (image, *_) = PRODUCTS
    assert rendered(image) == bills[image.name]
    assert "timestamp" not in bills[image.name]


@pytest.mark.parametrize("requirements", IMAGES)
def test_an_image_lists_its_whole_lock(bills: dict[str, str], requirements: str) -> None:
    """Every pin, with the hashes of what may be installed; our distributions; and the base image."""
    lock = (ROOT / f"requirements-{requirements}.lock").read_text()
    pinned = set(re.findall(r"^([a-z0-9-]+==[^ ;]+)(?!.*win32)", lock, re.MULTILINE))
    components: list[dict[str, Any]] = json.loads(bills[IMAGES[requirements]])["components"]
    listed = {f"{each['name']}=={each['version']}" for each in components}
    assert pinned <= listed
    assert listed - pinned - {f"{one.name}=={one.version}" for one in distributions().values()} == {
        "python==3.11.11-slim-bookworm"
    }
    (boto3,) = (each for each in components if each["name"] == "boto3")
    hashes = {each["content"] for each in boto3["externalReferences"][0]["hashes"]}
    assert hashes == set(re.findall(r"sha256:(\w+)", lock[lock.index("boto3==") : lock.index("botocore==")]))
    assert boto3["purl"] == f"pkg:pypi/boto3@{boto3['version']}"
    assert boto3["licenses"] == [{"license": {"id": "Apache-2.0"}}]


def test_it_says_who_needs_what(bills: dict[str, str]) -> None:
    """From the image every component can be reached: nothing is in it that nobody asked for."""
    bill = json.loads(bills["orderstream-image"])
    asks_for = {each["ref"]: set(each.get("dependsOn", ())) for each in bill["dependencies"]}
    reached, waiting = set[str](), {bill["metadata"]["component"]["bom-ref"]}
    while waiting:
        reached |= waiting
        waiting = set[str]().union(*(asks_for[ref] for ref in waiting)) - reached
    assert reached == set(asks_for)


LOCK = """\
boto3==1.0 \\
    --hash=sha256:{a} \\
    --hash=sha256:{b}
    # via
    #   billing
    #   extra
colorama==2.0 ; sys_platform == 'win32' \\
    --hash=sha256:{a}
    # via billing
jmespath==3.0 ; python_full_version < '3.12' \\
    --hash=sha256:{a}
    # via boto3
other==4.0 \\
    --hash=sha256:{a}
    # via somebody
""".format(a="a" * 64, b="b" * 64)


def test_a_lock_is_read_as_it_is_installed_on_linux() -> None:
    """What is for another system is left out; who asked for what is known."""
    read = read_lock(LOCK)
    assert [(each.name, each.version, len(each.hashes)) for each in read] == [
        ("boto3", "1.0", 2),
        ("jmespath", "3.0", 1),
        ("other", "4.0", 1),
    ]
    assert read[0].wanted_by == {"billing", "extra"}
    assert [each.name for each in needed_by("billing", read)] == ["boto3", "jmespath"]


@pytest.mark.parametrize("entry", ["boto3>=1.0 \\\n    --hash=sha256:" + "a" * 64, "boto3==1.0"])
def test_what_is_not_locked_is_refused(entry: str) -> None:
    """A range, or a pin without a hash, says nothing of what is delivered."""
    with pytest.raises(ValueError, match="boto3 is not locked"):
        read_lock(entry + "\n")
