"""Damaged order files: whatever the bytes, invoices or one clear sentence."""

import gzip
import tempfile
from pathlib import Path

from hypothesis import example, given, settings
from hypothesis import strategies as st

from orderstream_playground.demo.errors import OrderFileError
from orderstream_playground.demo.invoices import read_invoices, rejection_of

HEADER = b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
ROWS = b"".join(
    b"%d,85123A,A LANTERN,6,2010-12-01T08:26:00,2.55,17850,United Kingdom\n" % (536365 + number // 3)
    for number in range(12)
)
PLAIN = HEADER + ROWS
COMPRESSED = gzip.compress(PLAIN, mtime=0)
PIECES = st.one_of(
    st.binary(max_size=8), st.sampled_from([b'"', b",", b"\n", b"\r", b"\0", b"\xff", b"C", b"-1", b"NaN"])
)


class Seen(set[str]):
    def first_time(self, number: str) -> bool:
        first = number not in self
        self.add(number)
        return first


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """A file with one to three stretches of it replaced."""
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(whole)))
        end = min(len(whole), start + draw(st.integers(0, 40)))
        whole = whole[:start] + draw(PIECES) + whole[end:]
    return whole


def read(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"orders{suffix}"
        path.write_bytes(content)
        seen = Seen()
        try:
            for invoice in read_invoices(path):
                rejection = rejection_of(invoice, seen)
                assert rejection is None or rejection.detail
                assert invoice.lines or rejection is not None
        except OrderFileError as error:
            sentence = str(error)
        else:
            return
        assert sentence.startswith(str(path))
        assert "\n" not in sentence


@settings(max_examples=200, deadline=None)
@given(damaged(PLAIN) | st.binary(max_size=200))
@example(PLAIN.replace(b"A LANTERN", b'"A LANTERN'))
@example(PLAIN.decode().encode("utf-16"))
def test_a_damaged_file_is_read_or_refused(content: bytes) -> None:
    """Each invoice is offered or rejected with its reason; a file that is no CSV is one sentence."""
    read(".csv", content)


@settings(max_examples=200, deadline=None)
@given(damaged(COMPRESSED) | st.integers(0, len(COMPRESSED)).map(lambda end: COMPRESSED[:end]))
@example(COMPRESSED + b"garbage")
@example(PLAIN)
@example(b"")
def test_a_damaged_compressed_file_is_read_or_refused(content: bytes) -> None:
    """A cut or damaged gzip file is one sentence."""
    read(".csv.gz", content)
