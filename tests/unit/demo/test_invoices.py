"""Invoices are read one at a time, and what the importer refuses it refuses with line and reason."""

import gzip
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orderstream.rows.text import MAX_LINE_CHARACTERS
from orderstream_playground.demo.errors import OrderFileError
from orderstream_playground.demo.invoices import InvoiceLine, read_invoices, rejection_of

HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n"
REAL = Path(__file__).parents[3] / "data" / "online-retail-2010-12.csv.gz"


class Seen(set[str]):
    def first_time(self, number: str) -> bool:
        first = number not in self
        self.add(number)
        return first


def written(folder: Path, *lines: str) -> Path:
    path = folder / "orders.csv"
    path.write_text(HEADER + "\n".join(lines) + "\n", encoding="utf-8")
    return path


def row(
    number: str = "536365",
    sku: str = "85123A",
    quantity: str = "6",
    date: str = "2010-12-01T08:26:00",
    price: str = "2.55",
) -> str:
    return f"{number},{sku},A LANTERN,{quantity},{date},{price},17850,United Kingdom"


def test_lines_of_one_number_are_one_invoice(tmp_path: Path) -> None:
    """Contiguous lines of a number make one invoice; codes in upper case, prices as the file has them."""
    (invoice,) = read_invoices(written(tmp_path, row(), row(sku="84406b", price="2.750")))
    assert [(line.sku, line.unit_price) for line in invoice.lines] == [
        ("85123A", "2.55"),
        ("84406B", "2.750"),
    ]
    assert (invoice.customer_id, invoice.country) == ("17850", "United Kingdom")


def test_a_number_that_returns_is_a_duplicate(tmp_path: Path) -> None:
    """A number that comes back after another invoice is refused, with the order id of the first."""
    seen = Seen()
    invoices = list(read_invoices(written(tmp_path, row("1"), row("2"), row("1"))))
    reasons = [rejection.reason if (rejection := rejection_of(i, seen)) else None for i in invoices]
    assert reasons == [None, None, "duplicate_invoice"]
    assert invoices[0].order_id == invoices[2].order_id


@pytest.mark.parametrize(
    ("line", "detail"),
    [
        (row(quantity=""), "line 2: Quantity is missing"),
        (row(quantity="six"), "line 2: Quantity 'six' is not a whole number"),
        (row(price="2,55").replace("2,55", '"2,55"'), "line 2: UnitPrice '2,55' is not a decimal number"),
        (row(price="NaN"), "line 2: UnitPrice 'NaN' is not a decimal number"),
        (row(quantity="1__0"), "line 2: Quantity '1__0' is not a whole number"),
        (row(quantity="\u0661"), "line 2: Quantity '\u0661' is not a whole number"),
        (row(price="1e3"), "line 2: UnitPrice '1e3' is not a decimal number"),
        (row(price="\uff11"), "line 2: UnitPrice '\uff11' is not a decimal number"),
        (
            row(sku="\u200b85123A"),
            "line 2: StockCode '\\u200b85123A' is no code of visible ASCII characters",
        ),
        (row(date="yesterday"), "line 2: InvoiceDate 'yesterday' is not an ISO 8601 time"),
        (row(sku=""), "line 2: StockCode is missing"),
        (row(number=""), "the invoice number is missing"),
        ("536365,85123A", "line 2: Quantity is missing"),
        (row() + ",x,y", "line 2: 2 more fields than there are columns"),
        (row(number="n\u00b0 1"), "InvoiceNo 'n\u00b0 1' is no printable ASCII of at most 200 characters"),
        (row(quantity="9" * 5_000), f"line 2: Quantity '{'9' * 40}…' is not a whole number"),
    ],
)
def test_malformed_says_which_line_and_why(tmp_path: Path, line: str, detail: str) -> None:
    """A field that is missing or cannot be parsed rejects the invoice, naming the line and the field."""
    (invoice,) = read_invoices(written(tmp_path, line))
    rejection = rejection_of(invoice, Seen())
    assert rejection is not None
    assert (rejection.reason, rejection.detail) == ("malformed", detail)


def test_malformed_comes_before_every_other_reason(tmp_path: Path) -> None:
    """The first reason that applies counts: a malformed credit note is malformed."""
    (invoice,) = read_invoices(written(tmp_path, row("C1", quantity="x")))
    rejection = rejection_of(invoice, Seen())
    assert rejection is not None
    assert rejection.reason == "malformed"


def test_an_invoice_without_end_stays_bounded(tmp_path: Path) -> None:
    """Lines beyond the cap are not kept: the invoice is refused and the next one is read."""
    first, second = read_invoices(written(tmp_path, *[row("1")] * 2_001, row("2")))
    assert len(first.lines) == 2_000
    assert first.malformed is not None
    assert second.malformed is None


def test_limit_counts_invoices(tmp_path: Path) -> None:
    """A limit is a number of invoices, whatever becomes of them."""
    path = written(tmp_path, row("C1"), row("2"), row("2"), row("3"))
    assert [invoice.number for invoice in read_invoices(path, limit=2)] == ["C1", "2"]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    """A file without one of the columns is refused as a whole, naming the column."""
    path = tmp_path / "orders.csv"
    path.write_text("InvoiceNo,StockCode\n1,85123A\n")
    with pytest.raises(OrderFileError, match="no column 'Description', 'Quantity'"):
        list(read_invoices(path))


def test_a_cut_gzip_is_refused(tmp_path: Path) -> None:
    """A gzip file that ends too soon is an error, not a shorter file."""
    path = tmp_path / "orders.csv.gz"
    path.write_bytes(gzip.compress((HEADER + row()).encode())[:-12])
    with pytest.raises(OrderFileError, match="breaks off or is damaged after line 1"):
        list(read_invoices(path))


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-32"])
def test_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    """Bytes that are not UTF-8 are an error that says so and where."""
    path = tmp_path / "orders.csv"
    path.write_bytes((HEADER + row()).replace("LANTERN", "CAFÉ").encode(encoding))
    with pytest.raises(OrderFileError, match="not UTF-8 text after line 0"):
        list(read_invoices(path))


def test_a_byte_order_mark_is_no_part_of_a_column(tmp_path: Path) -> None:
    """A file as a spreadsheet saves it is read."""
    path = tmp_path / "orders.csv"
    path.write_bytes((HEADER + row()).encode("utf-8-sig"))
    assert [invoice.number for invoice in read_invoices(path)] == ["536365"]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (HEADER + row() + '\n536366,"85123A,' + row(), "line 3: it is not CSV"),
        (HEADER + row() + "\n" + "x" * (MAX_LINE_CHARACTERS + 1), "line 3: it has 16,777,216 characters"),
        ("", "it has no column 'InvoiceNo'"),
        ("\0" * 100, "it has no column 'InvoiceNo'"),
    ],
)
def test_what_is_no_csv_is_refused_at_its_line(tmp_path: Path, content: str, reason: str) -> None:
    """A quote that is never closed swallows nothing, and a line without end is not read into memory."""
    path = tmp_path / "orders.csv"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(OrderFileError, match=reason):
        list(read_invoices(path))


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    """A folder, and a file that is not there, are errors that say so."""
    with pytest.raises(OrderFileError, match="cannot be opened"):
        list(read_invoices(tmp_path))
    with pytest.raises(OrderFileError, match="no such file"):
        list(read_invoices(tmp_path / "orders.csv"))


@given(st.text(alphabet=st.sampled_from("POSTDM0123456789A"), max_size=8))
def test_service_codes_do_not_begin_with_five_digits(sku: str) -> None:
    """A code is a service exactly if it does not begin with five digits."""
    digits = len(sku) >= 5 and all(c in "0123456789" for c in sku[:5])
    assert InvoiceLine(sku, 1, "1", None).is_service is not digits


def test_the_real_file_has_its_known_counts() -> None:
    """The bundled month has 2,025 invoices, of which the importer refuses the 326 credit notes alone."""
    seen = Seen()
    reasons = Counter(
        rejection.reason if (rejection := rejection_of(invoice, seen)) else None
        for invoice in read_invoices(REAL)
    )
    assert reasons == {None: 1_699, "credit_note": 326}
