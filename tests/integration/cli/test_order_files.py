"""Order files that cannot be read, given to the command: one sentence, exit status 1, nothing started."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest

HEADER = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ROW = b"536365,85123A,A LANTERN,6,2010-12-01T08:26:00,2.55,17850,United Kingdom\n"


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("orders.csv", b"InvoiceNo,StockCode\n1,2\n", "it has no column 'Description', 'Quantity'"),
        ("orders.csv", b"", "it has no column 'InvoiceNo'"),
        ("orders.csv", (HEADER + ROW).decode().encode("utf-16"), "it is not UTF-8 text"),
        ("orders.csv", HEADER + b'536365,"85123A', "line 2: it is not CSV"),
        (
            "orders.csv.gz",
            gzip.compress(HEADER + ROW, mtime=0)[:-20],
            "it breaks off or is damaged after line",
        ),
        ("orders.csv.gz", b"\x1f\x8b" + HEADER, "it breaks off or is damaged after line 0"),
    ],
)
def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    """No traceback, no environment: the sentence names the file and what is wrong with it."""
    file, home = tmp_path / name, tmp_path / "home"
    file.write_bytes(content)
    command = [sys.executable, "-m", "orderstream_workers.cli.main", "demo", "--orders", str(file)]
    done = subprocess.run([*command, "--home", str(home)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"orderstream: {file}: {said}")
    assert not home.exists()
