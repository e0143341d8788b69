"""Each distribution in an empty environment of its own: ``python -m wheels.alone uv dist`` in ``tests``.

It is installed with nothing but what it declares. Then every module that it ships is imported, the first
Python example of its README is run, and its command says what it can do; what is not declared is missing.
"""

import sys
import tempfile
import tomllib
import zipfile
from pathlib import Path

from wheels.check import run

ROOT = Path(__file__).parents[2]

OPTIONAL = {
    "orderstream": (
        "observability.metrics.otel",
        "observability.tracing.otel",
        "observability.tracing.xray",
        "testing.pytest_plugin",
        "testing.server",
    ),
    "orderstream_orders": ("api", "callers", "testing"),
    "orderstream_consumer": (),
    "orderstream_workers": ("runtime.telemetry.resource", "runtime.telemetry.signing"),
    "shard_sizing": (),
    "orderstream_playground": (),
}
"""By package: the modules, and what is below them, that need an extra."""

RUN_BY_ALEMBIC = {"orderstream_workers": ("projections.order_status.migrations",)}
"""By package: the modules that Alembic runs in a context of its own, and nothing imports."""

IMPORT_ALL = """
import importlib, pkgutil, sys
package = importlib.import_module(sys.argv[1])
optional = tuple(f"{sys.argv[1]}.{name}" for name in sys.argv[2:])
for module in pkgutil.walk_packages(package.__path__, f"{sys.argv[1]}.", onerror=print):
    if not module.name.startswith(optional or ("-",)) and not module.name.endswith("__main__"):
        importlib.import_module(module.name)
"""


def distributions() -> list[Path]:
    """The folder of every distribution."""
    return sorted(
        path.parent for path in ROOT.glob("*/*/pyproject.toml") if not path.parts[-3].startswith(".")
    )


def example_of(readme: str) -> str | None:
    """The first Python example of a README; None if it shows none."""
    _, fence, rest = readme.partition("```python\n")
    return rest.partition("```")[0] if fence else None


def require_licence(dist: Path, name: str) -> None:
    """See that a distribution's wheel carries the repository's licence, as its metadata says."""
    (wheel,) = dist.glob(f"{name.replace('-', '_')}-[0-9]*.whl")
    with zipfile.ZipFile(wheel) as archive:
        kept = [entry for entry in archive.namelist() if entry.endswith(".dist-info/licenses/LICENSE")]
        if [archive.read(entry) for entry in kept] != [(ROOT / "LICENSE").read_bytes()]:
            sys.exit(f"{wheel.name} does not carry the licence")


def check(uv: str, dist: Path, folder: Path) -> str:
    """Install one distribution alone and use it.

    Args:
        uv: The command ``uv``.
        dist: The folder of all wheels; those of ours that it declares come from there.
        folder: The distribution.

    Returns:
        What was done, in words.
    """
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    package = next(path.parent.name for path in (folder / "src").glob("*/__init__.py"))
    with tempfile.TemporaryDirectory() as environment:
        python = Path(environment) / "bin" / "python"
        run(uv, "venv", "--quiet", f"--python={sys.executable}", environment)
        # The wheels of an earlier build have the same names and version, and may be in uv's cache.
        ours = [f"--refresh-package={wheel.name.partition('-')[0]}" for wheel in dist.glob("*.whl")]
        install = (uv, "pip", "install", "--quiet", "--only-binary=:all:", f"--python={python}", *ours)
        run(*install, f"--find-links={dist}", f"{project['name']}=={project['version']}")
        run(uv, "pip", "check", "--quiet", f"--python={python}")
        done = ["installed"]
        require_licence(dist, project["name"])
        done.append("licensed")
        unimported = RUN_BY_ALEMBIC.get(package, ())
        run(str(python), "-I", "-c", IMPORT_ALL, package, *OPTIONAL[package], *unimported, cwd=environment)
        done.append("imported")
        extras = ",".join(sorted(set(project.get("optional-dependencies", {})) - {"kcl"}))
        if extras:
            complete = f"{project['name']}[{extras}]=={project['version']}"
            run(*install, f"--find-links={dist}", complete, "pytest")
            run(str(python), "-I", "-c", IMPORT_ALL, package, *unimported, cwd=environment)
            done.append(f"imported with {extras}")
        example = example_of((folder / "README.md").read_text())
        if example is not None:
            run(str(python), "-I", "-c", example, cwd=environment)
            done.append("its README's example run")
        for command in project.get("scripts", {}):
            run(str(python.parent / command), "--help", cwd=environment)
            done.append(f"{command} --help")
    return ", ".join(done)


def main(uv: str, dist: Path) -> None:
    """Check them all."""
    for folder in distributions():
        print(f"{folder.relative_to(ROOT)}: {check(uv, dist.resolve(), folder)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
