"""The answers for the bundled month of real orders, grown a thousand times: see docs/sizing.md."""

import json
from pathlib import Path

import pytest

from fakes.sizing_cli import run

ORDERS = Path(__file__).parents[3] / "data/online-retail-2010-12.csv.gz"


def needs(key: str, folder: Path, *options: str) -> tuple[float, dict[str, int | None]]:
    """Return the rate that is planned for, and the shards by reading of the limit."""
    profile = str(folder / "profile.json")
    assert (
        run("sample", str(ORDERS), "--key", key, "--timestamp", "InvoiceDate", "--out", profile).exit_code
        == 0
    )
    done = run("size", profile, "--growth", "1000", *options, "--json")
    found = json.loads(done.stdout)
    wanted = {need["enforcement"]: need["shards"] for need in found["needs"] if need["percent"] == 90}
    return found["rate"], wanted


@pytest.mark.parametrize(
    ("key", "options", "bucket", "window"),
    [
        ("StockCode", (), 3, 3),
        ("StockCode", ("--burst-cv", "0.25"), 4, 6),
        ("CustomerID", (), None, None),  # one customer, or none, has nearly all lines of a busy minute
        ("InvoiceNo", (), None, None),
        ("InvoiceNo", ("--growth-by", "more-keys"), 3, 3),  # as many orders more, and none is larger
        ("CustomerID", ("--growth-by", "more-keys", "--burst-cv", "0.25"), 3, 6),
    ],
)
def test_the_month_needs_what_the_documentation_says(
    key: str, options: tuple[str, ...], bucket: int | None, window: int | None, tmp_path: Path
) -> None:
    """It is sized for its 99.9 % minute, 107 times the mean, and for what single keys bring in it."""
    rate, found = needs(key, tmp_path, *options)
    assert rate == pytest.approx(2_346, abs=1)
    assert found == {"token-bucket": bucket, "fixed-window": window}
