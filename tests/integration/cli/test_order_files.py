"""Order files that cannot be read, given to the demo: one sentence, exit status 1, nothing started."""

import gzip
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from orderstream_playground.demo.errors import OrderFileError
from orderstream_playground.demo.run import Run, run
from orderstream_playground.local.environment import EnvironmentOptions

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
    """No environment: the sentence names the file and what is wrong with it."""
    file, home = tmp_path / name, tmp_path / "home"
    file.write_bytes(content)
    job = Run(
        orders=file,
        limit=None,
        stock=1,
        options=EnvironmentOptions(),
        home=home,
        out=tmp_path / "out",
        scratch=tmp_path,
        progress=False,
    )
    with pytest.raises(OrderFileError) as refused:
        run(job, Console(quiet=True))
    assert str(refused.value).startswith(f"{file}: {said}")
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.iterdir()) == [file]


def test_the_command_says_it_and_ends_with_status_1(tmp_path: Path) -> None:
    """No traceback and no environment: one sentence, behind the command's name."""
    file, home = tmp_path / "orders.csv", tmp_path / "home"
    file.write_bytes(b"InvoiceNo,StockCode\n1,2\n")
    command = [sys.executable, "-m", "orderstream_workers.cli.main", "demo", "--orders", str(file)]
    done = subprocess.run([*command, "--home", str(home)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    (sentence,) = done.stderr.splitlines()
    assert sentence.startswith(f"orderstream: {file}: it has no column")
    assert not home.exists()
