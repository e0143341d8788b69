"""Base images by their digest: ``python -m supply_chain.base_images [--check]``, or ``make pin-images``.

Every image that the Dockerfiles and the compose file take from elsewhere is written as ``name:tag@digest``.
The registry says which digest a tag has now, and what it serves has to hash to it. Where a registry cannot be
reached, a reference stays as it is and the command ends with 1: no digest is invented.
"""

import hashlib
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx

from supply_chain.lock import ROOT

FILES = (
    "Dockerfile",
    "consumers/library/examples/container/Dockerfile",
    "docker-compose.localstack.yml",
    "scripts/playground/Dockerfile",
)

_REFERENCE = re.compile(
    r"^(?P<before>ARG BASE=|FROM |\s+image: )(?P<repository>(?!orderstream)[a-z0-9./_-]+):(?P<tag>[\w.-]+)"
    r"(?:@(?P<digest>sha256:[0-9a-f]{64}))?(?=\s|$)",
    re.MULTILINE,
)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_HUB = "registry-1.docker.io"
_MANIFESTS = (
    "application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.list.v2+json, "
    "application/vnd.oci.image.manifest.v1+json, application/vnd.docker.distribution.manifest.v2+json"
)


class RegistryError(Exception):
    """A registry does not say what a tag's digest is.

    Args:
        reference: Of which image.
        reason: Why not.
    """

    def __init__(self, reference: "Reference", reason: str) -> None:
        super().__init__(f"{reference.file}: {reference.repository}:{reference.tag} is not pinned: {reason}")


@dataclass(frozen=True, slots=True)
class Reference:
    """An image that a file names.

    Attributes:
        file: Which file, from the root of the repository.
        repository: As it is written there.
        tag: Its tag.
        digest: ``sha256:`` and 64 hexadecimal digits; empty if it is not pinned.
    """

    file: str
    repository: str
    tag: str
    digest: str

    @property
    def at_registry(self) -> tuple[str, str]:
        """Registry and repository, as Docker understands the name."""
        first, _, rest = self.repository.partition("/")
        if rest and ("." in first or ":" in first):
            return first, rest
        return _HUB, self.repository if rest else f"library/{self.repository}"


def references(root: Path) -> Iterator[Reference]:
    """Every image from elsewhere that is named in the files of a checkout."""
    for file in FILES:
        for found in _REFERENCE.finditer((root / file).read_text(encoding="utf-8")):
            yield Reference(file, found["repository"], found["tag"], found["digest"] or "")


def digest_of(reference: Reference, client: httpx.Client) -> str:
    """What a tag is now, by the registry's API (OCI Distribution Specification 1.1).

    Args:
        reference: Which image.
        client: Asks the registry.

    Raises:
        RegistryError: it cannot be reached, does not know the tag, or serves something else than it says.
    """
    registry, repository = reference.at_registry
    url = f"https://{registry}/v2/{repository}/manifests/{reference.tag}"
    headers = {"accept": _MANIFESTS}
    try:
        response = client.get(url, headers=headers)
        if response.status_code == httpx.codes.UNAUTHORIZED:
            token = _anonymous_token(response.headers.get("www-authenticate", ""), client)
            response = client.get(url, headers=headers | {"authorization": f"Bearer {token}"})
        response.raise_for_status()
    except (httpx.HTTPError, KeyError, ValueError) as error:
        raise RegistryError(reference, f"{registry} does not say its digest ({error})") from error
    digest = f"sha256:{hashlib.sha256(response.content).hexdigest()}"
    if response.headers.get("docker-content-digest", digest) != digest:
        raise RegistryError(reference, f"{registry} serves another manifest than it names")
    return digest


def _anonymous_token(challenge: str, client: httpx.Client) -> str:
    words = dict(_CHALLENGE.findall(challenge))
    response = client.get(words.pop("realm"), params=words)
    response.raise_for_status()
    found = response.json()
    return str(found.get("token") or found["access_token"])


def pin(root: Path, client: httpx.Client) -> list[str]:
    """Write the digest of each tag into the files.

    Args:
        root: Of a checkout.
        client: Asks the registries.

    Returns:
        What could not be pinned, a sentence each. A digest that was there before stays.
    """
    failures: list[str] = []
    for file in FILES:
        path = root / file

        def pinned(found: re.Match[str], file: str = file) -> str:
            reference = Reference(file, found["repository"], found["tag"], found["digest"] or "")
            try:
                digest = digest_of(reference, client)
            except RegistryError as error:
                failures.append(str(error))
                return found[0]
            return f"{found['before']}{found['repository']}:{found['tag']}@{digest}"

        before = path.read_text(encoding="utf-8")
        after = _REFERENCE.sub(pinned, before)
        if after != before:
            path.write_text(after, encoding="utf-8")
    return failures


def main() -> int:
    """Pin, or with ``--check`` only say what is not pinned."""
    if sys.argv[1:] == ["--check"]:
        failures = [
            f"{each.file}: {each.repository}:{each.tag} has no digest"
            for each in references(ROOT)
            if not each.digest
        ]
    else:
        with httpx.Client(timeout=20, follow_redirects=True) as client:
            failures = pin(ROOT, client)
    print(*failures, sep="\n", end="\n" if failures else "")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
