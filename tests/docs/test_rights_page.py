"""The report of rights is what roles and recorded runs come to."""

from rights.report import PAGE, rendered


def test_the_report_is_current() -> None:
    """``make rights-report`` writes it anew."""
    assert PAGE.read_text(encoding="utf-8") == rendered()
