"""The emulator's installation: into the environment's own folder, anywhere, and true about failures."""

import sys
from pathlib import Path

import pytest

from orderstream_playground.local.ministack import EmulatorInstallError, ensure_ministack, uv_environment


def test_the_systems_certificates_are_trusted(tmp_path: Path) -> None:
    """A proxy that inspects TLS is trusted as the system trusts it; who says otherwise is heard."""
    assert uv_environment({"HOME": str(tmp_path)}, tmp_path)["UV_SYSTEM_CERTS"] == "true"
    told = {"HOME": str(tmp_path), "UV_SYSTEM_CERTS": "false"}
    assert uv_environment(told, tmp_path)["UV_SYSTEM_CERTS"] == "false"


def test_it_is_compiled_when_it_is_installed(tmp_path: Path) -> None:
    """No start of the emulator compiles what it imports, even where Python may not write bytecode."""
    assert uv_environment({"PYTHONDONTWRITEBYTECODE": "1"}, tmp_path)["UV_COMPILE_BYTECODE"] == "true"


def test_a_home_that_cannot_be_written_is_not_needed(tmp_path: Path) -> None:
    """The cache is in the user's own folder if there is one, else beside the emulator."""
    (tmp_path / "file").touch()
    assert "UV_CACHE_DIR" not in uv_environment({"HOME": str(tmp_path)}, tmp_path / "own")
    nowhere = uv_environment({"HOME": str(tmp_path / "file")}, tmp_path / "own")
    assert nowhere["UV_CACHE_DIR"] == str(tmp_path / "own" / "uv-cache")


def test_it_is_installed_inside_the_environment() -> None:
    """What deletes the folder deletes the emulator with it; a second call finds it."""
    interpreter = ensure_ministack()
    assert interpreter.is_relative_to(sys.prefix)
    assert ensure_ministack() == interpreter


def test_the_true_reason_of_a_failure_is_told(tmp_path: Path) -> None:
    """A folder that cannot be made is named, and nobody is sent to check the network."""
    (tmp_path / "file").touch()
    with pytest.raises(EmulatorInstallError, match=r"file.*Not a directory") as failed:
        ensure_ministack(tmp_path / "file")
    assert "network" not in str(failed.value)
