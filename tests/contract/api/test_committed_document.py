"""The committed OpenAPI document is what the code says."""

from pathlib import Path

from orderstream_workers.runtime.http.openapi import main, rendered

DOCUMENT = Path(__file__).parents[3] / "docs" / "openapi.json"


def test_the_committed_file_is_what_the_code_says() -> None:
    """It is generated: `python -m orderstream_workers.runtime.http.openapi` renews it."""
    assert DOCUMENT.read_text(encoding="utf-8") == rendered()
    assert main(["--file", str(DOCUMENT), "--check"]) == 0


def test_the_command_writes_what_it_then_finds_in_order(tmp_path: Path) -> None:
    """A missing file is outdated; once written it passes."""
    file = tmp_path / "openapi.json"
    assert main(["--file", str(file), "--check"]) == 1
    assert main(["--file", str(file)]) == 0
    assert main(["--file", str(file), "--check"]) == 0
