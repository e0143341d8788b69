"""Writes a bill of materials for each image and each wheel: ``python -m supply_chain.sbom OUT``.

They are in CycloneDX' JSON, checked against its schema.

It is a function of the lock files and of the packages' own metadata: the same commit gives the same bytes.
"""

import hashlib
import json
import sys
import uuid
from pathlib import Path
from typing import Any

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import ExternalReference, ExternalReferenceType, HashAlgorithm, HashType, XsUri
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

from supply_chain.base_images import Reference, references
from supply_chain.licences import installed_licence
from supply_chain.lock import ROOT, Locked
from supply_chain.products import Distribution, Product, products

_LICENCES = LicenseFactory()


def rendered(product: Product) -> str:
    """A product's bill of materials.

    Args:
        product: What is delivered.
    """
    bom = Bom()
    kind = ComponentType.CONTAINER if product.is_image else ComponentType.LIBRARY
    whole = Component(
        name=product.name, version=product.version, type=kind, bom_ref=f"{product.name}@{product.version}"
    )
    bom.metadata.component = whole
    ours = {part.name: _ours(part) for part in product.parts}
    theirs = {locked.name: _theirs(locked) for locked in product.locked}
    bases = [_base(each) for each in _bases() if product.is_image]
    bom.components.update((*ours.values(), *theirs.values(), *bases))
    known = {**ours, **theirs}
    asks_for = {part.name: part.ours for part in product.parts} | {product.name: product.asks_for}
    for name, component in (*known.items(), (product.name, whole)):
        wanted = [locked.name for locked in product.locked if name in locked.wanted_by]
        asked = [known[other] for other in (*wanted, *asks_for.get(name, ()))]
        bom.register_dependency(component, asked + (bases if component is whole else []))
    return _reproducible(JsonV1Dot6(bom).output_as_string())


def _ours(part: Distribution) -> Component:
    return Component(
        name=part.name,
        version=part.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{part.name}@{part.version}",
        purl=PackageURL("pypi", name=part.name, version=part.version),
        licenses=[_LICENCES.make_from_string("MIT")],
    )


def _theirs(locked: Locked) -> Component:
    page = XsUri(f"https://pypi.org/project/{locked.name}/{locked.version}/")
    hashes = [HashType(alg=HashAlgorithm.SHA_256, content=digest) for digest in locked.hashes]
    return Component(
        name=locked.name,
        version=locked.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{locked.name}@{locked.version}",
        purl=PackageURL("pypi", name=locked.name, version=locked.version),
        licenses=[_LICENCES.make_from_string(installed_licence(locked))],
        external_references=[
            ExternalReference(type=ExternalReferenceType.DISTRIBUTION, url=page, hashes=hashes)
        ],
    )


def _bases() -> list[Reference]:
    return [each for each in references(ROOT) if each.file == "Dockerfile"]


def _base(reference: Reference) -> Component:
    """The image that ours is built on; what is in it, its publisher has to say."""
    digest = reference.digest.removeprefix("sha256:")
    return Component(
        name=reference.repository,
        version=reference.tag,
        type=ComponentType.CONTAINER,
        bom_ref=f"{reference.repository}:{reference.tag}",
        purl=PackageURL("docker", name=reference.repository, version=reference.digest or reference.tag),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=digest)] if digest else [],
    )


def _reproducible(text: str) -> str:
    """Without the time, and with a serial number that follows from the rest."""
    document: dict[str, Any] = json.loads(text)
    del document["serialNumber"], document["metadata"]["timestamp"]
    content = json.dumps(document, sort_keys=True)
    digest = hashlib.sha256(content.encode()).hexdigest()
    document["serialNumber"] = uuid.uuid5(uuid.NAMESPACE_URL, digest).urn
    return json.dumps(document, indent=2, sort_keys=True) + "\n"


def main() -> int:
    """Write one file a product, each of which is valid."""
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    validator = JsonStrictValidator(SchemaVersion.V1_6)
    for product in products():
        kind = "image" if product.is_image else "wheel"
        file = out / f"{product.name}-{product.version}.{kind}.cdx.json"
        bill = rendered(product)
        if (wrong := validator.validate_str(bill)) is not None:
            raise ValueError(f"{file} is no valid bill of materials: {wrong}")
        file.write_text(bill, encoding="utf-8")
        print(f"{file}: {len(product.parts)} of ours, {len(product.locked)} of others")
    return 0


if __name__ == "__main__":
    sys.exit(main())
