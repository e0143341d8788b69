"""Images from elsewhere are taken by their digest, which the registry says and nobody makes up."""

import hashlib
import re
import subprocess
from pathlib import Path

import httpx
import pytest

from supply_chain.base_images import FILES, Reference, digest_of, pin, references
from supply_chain.lock import ROOT

MANIFEST = b'{"schemaVersion": 2}'
DIGEST = f"sha256:{hashlib.sha256(MANIFEST).hexdigest()}"


class Registry:
    """Speaks a registry's API as Docker Hub does: a token is needed, which anybody gets.

    Args:
        named: What it says that the digest is.
        manifest: What it serves.
    """

    def __init__(self, named: str = DIGEST, manifest: bytes = MANIFEST) -> None:
        self._named, self._manifest = named, manifest
        self.asked: list[str] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "auth.example.com":
            scope = request.url.params["scope"]
            return httpx.Response(200, json={"token": f"for {scope}"})
        self.asked.append(f"{request.url.host}{request.url.path}")
        repository = re.fullmatch(r"/v2/(.+)/manifests/[^/]+", request.url.path)
        assert repository
        scope = f"repository:{repository[1]}:pull"
        if request.headers.get("authorization") != f"Bearer for {scope}":
            challenge = f'Bearer realm="https://auth.example.com/token",service="registry",scope="{scope}"'
            return httpx.Response(401, headers={"www-authenticate": challenge})
        return httpx.Response(200, content=self._manifest, headers={"docker-content-digest": self._named})


def client_of(registry: Registry) -> httpx.Client:
    return httpx.Client(transport=httpx.MockTransport(registry))


def unreachable(request: httpx.Request) -> httpx.Response:
    raise httpx.ConnectError("no route", request=request)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the files that name images."""
    for file in FILES:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).write_text((ROOT / file).read_text())
    return tmp_path


def test_every_image_from_elsewhere_is_known() -> None:
    """No Dockerfile and no service names an image that pinning would pass over."""
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    everywhere = {line for line in listed.splitlines() if line.endswith("Dockerfile")}
    assert everywhere <= set(FILES)
    for file in FILES:
        text = (ROOT / file).read_text()
        named = re.findall(r"^(?:ARG BASE=|FROM |\s+image: )(?!\$|orderstream)(\S+)", text, re.MULTILINE)
        known = [one for one in references(ROOT) if one.file == file]
        assert len(named) == len(known) > 0, file


def test_a_tag_is_pinned_to_what_the_registry_serves(checkout: Path) -> None:
    """The digest is written behind the tag, everywhere; the rest of each file stays."""
    registry = Registry()
    with client_of(registry) as client:
        assert pin(checkout, client) == []
    assert {each.digest for each in references(checkout)} == {DIGEST}
    assert "registry-1.docker.io/v2/library/python/manifests/3.11.11-slim-bookworm" in registry.asked
    for file in FILES:
        unpinned = (checkout / file).read_text().replace(f"@{DIGEST}", "")
        assert re.sub(r"@sha256:[0-9a-f]{64}", "", (ROOT / file).read_text()) == unpinned


def test_a_pinned_tag_that_was_moved_is_pinned_anew(checkout: Path) -> None:
    """Pinning again takes what the tag is by now."""
    with client_of(Registry()) as client:
        pin(checkout, client)
    newer = b'{"schemaVersion": 2, "newer": true}'
    digest = f"sha256:{hashlib.sha256(newer).hexdigest()}"
    with client_of(Registry(digest, newer)) as client:
        assert pin(checkout, client) == []
    assert {each.digest for each in references(checkout)} == {digest}


def test_no_digest_is_made_up(checkout: Path) -> None:
    """A registry that cannot be reached, or that serves something else than it names, changes no file."""
    before = {file: (checkout / file).read_bytes() for file in FILES}
    with httpx.Client(transport=httpx.MockTransport(unreachable)) as client:
        failures = pin(checkout, client)
    assert len(failures) == len(list(references(checkout)))
    assert all("is not pinned: registry-1.docker.io does not say its digest" in each for each in failures)
    with client_of(Registry(named=f"sha256:{'0' * 64}")) as client:
        assert all("serves another manifest than it names" in each for each in pin(checkout, client))
    assert {file: (checkout / file).read_bytes() for file in FILES} == before


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("python", "registry-1.docker.io/v2/library/python"),
        ("localstack/localstack", "registry-1.docker.io/v2/localstack/localstack"),
        ("public.ecr.aws/docker/library/python", "public.ecr.aws/v2/docker/library/python"),
    ],
)
def test_a_name_says_which_registry_is_asked(name: str, path: str) -> None:
    """As Docker reads it."""
    registry = Registry()
    with client_of(registry) as client:
        assert digest_of(Reference("Dockerfile", name, "1", ""), client) == DIGEST
    assert registry.asked[-1] == f"{path}/manifests/1"
