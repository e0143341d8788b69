"""Reads invoices from a file of order lines, one at a time, and checks what the importer is responsible for.

The columns are those of the Online Retail data set: InvoiceNo, StockCode, Description, Quantity, InvoiceDate,
UnitPrice, CustomerID, Country. One invoice is one order; its lines are together.
"""

import datetime as dt
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from orderstream_orders.contracts import order_id_for
from orderstream_orders.contracts.sku import is_sku
from orderstream_playground.demo.rows import Row, rows_of

CALLER: Final = "import"
"""Who places the imported orders: the scope of their idempotency keys."""

CURRENCY: Final = "GBP"
"""The data set's currency (ISO 4217)."""

MAX_LINES: Final = 2_000
"""Most lines of one invoice that are kept in memory; the orders API takes no more either."""

_MAX_NUMBER: Final = 200
"""Characters of an invoice number; the orders API takes no longer ``Idempotency-Key``."""

_NO_KEY: Final = f"is no printable ASCII of at most {_MAX_NUMBER} characters"
_SHOWN: Final = 40
"""Characters of a bad value that a rejection quotes."""

_WHOLE: Final = re.compile(r"-?[0-9]{1,10}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")
"""Numbers in plain ASCII digits: anything else that Python reads as a number is an error in the file."""

_COLUMNS: Final = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)


@dataclass(frozen=True, slots=True)
class InvoiceLine:
    """One line of an invoice, as the file has it.

    Attributes:
        sku: Stock code in upper case.
        quantity: Units; the API refuses those below 1.
        unit_price: The file's own decimal string.
        description: None where the file has none.
    """

    sku: str
    quantity: int
    unit_price: str
    description: str | None

    @property
    def is_service(self) -> bool:
        """True where nothing is taken from stock (POST, BANK CHARGES): no five digits in front."""
        return not (len(self.sku) >= 5 and self.sku[:5].isascii() and self.sku[:5].isdigit())


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why an invoice is not offered to the API, or was refused by it.

    Attributes:
        reason: A code such as ``"malformed"`` or ``"credit_note"``.
        detail: For a person: which line, and why.
    """

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Invoice:
    """One invoice, as it is offered.

    Attributes:
        number: Invoice number, empty where the file has none.
        lines: The lines that could be read.
        customer_id: None for a guest.
        country: Destination, None where the file has none.
        malformed: What could not be read, if anything.
    """

    number: str
    lines: tuple[InvoiceLine, ...]
    customer_id: str | None
    country: str | None
    malformed: Rejection | None = None

    @property
    def order_id(self) -> str | None:
        """The order's id, which derives from the invoice number."""
        return order_id_for(CALLER, self.number) if self.number else None


class SeenInvoices(Protocol):
    """Remembers invoice numbers, outside memory."""

    def first_time(self, number: str) -> bool:
        """True the first time that a number is asked for."""


def rejection_of(invoice: Invoice, seen: SeenInvoices) -> Rejection | None:
    """What the importer itself refuses: the first that applies of malformed, duplicate and credit note.

    Args:
        invoice: The invoice.
        seen: The numbers met so far; this one is added.
    """
    first_time = seen.first_time(invoice.number) if invoice.number else True
    if invoice.malformed is not None:
        return invoice.malformed
    if not first_time:
        return Rejection("duplicate_invoice", f"invoice {invoice.number} was offered before")
    if invoice.number.startswith("C"):
        return Rejection("credit_note", f"invoice {invoice.number} gives goods back")
    return None


def read_invoices(path: Path, limit: int | None = None) -> Iterator[Invoice]:
    """Read a file invoice by invoice; memory is bounded by one invoice of ``MAX_LINES`` lines.

    Args:
        path: ``.csv`` or ``.csv.gz``, UTF-8, with the columns above.
        limit: Read only so many invoices; None for all.

    Raises:
        OrderFileError: the file is missing, cut, not UTF-8, no CSV, or lacks a column; it names the line.
    """
    with rows_of(path, _COLUMNS) as rows:
        groups = itertools.groupby(rows, key=lambda row: row.fields["InvoiceNo"])
        for number, group in itertools.islice(groups, limit):
            yield _invoice(number, group)


def _invoice(number: str, rows: Iterable[Row]) -> Invoice:
    lines: list[InvoiceLine] = []
    customer: str | None = None
    country: str | None = None
    malformed = None if number else Rejection("malformed", "the invoice number is missing")
    if not _is_key(number):
        malformed = malformed or Rejection("malformed", f"InvoiceNo {_shown(number)} {_NO_KEY}")
    for count, row in enumerate(rows, start=1):
        customer = customer or row.fields["CustomerID"] or None
        country = country or row.fields["Country"] or None
        if count > MAX_LINES:
            malformed = malformed or Rejection("malformed", f"line {row.number}: more than {MAX_LINES} lines")
            continue
        parsed = _line(row)
        if isinstance(parsed, InvoiceLine):
            lines.append(parsed)
        else:
            malformed = malformed or parsed
    return Invoice(number, tuple(lines), customer, country, malformed)


def _line(row: Row) -> InvoiceLine | Rejection:
    fields = row.fields

    def malformed(field: str, why: str) -> Rejection:
        return Rejection("malformed", f"line {row.number}: {field} {why}")

    if row.surplus:
        return malformed(f"{row.surplus} more fields", "than there are columns")
    for field in ("StockCode", "Quantity", "InvoiceDate", "UnitPrice"):
        if not fields[field]:
            return malformed(field, "is missing")
    if not is_sku(fields["StockCode"]):
        return malformed("StockCode", f"{_shown(fields['StockCode'])} is no code of visible ASCII characters")
    if not _WHOLE.fullmatch(fields["Quantity"]):
        return malformed("Quantity", f"{_shown(fields['Quantity'])} is not a whole number")
    quantity = int(fields["Quantity"])
    try:
        dt.datetime.fromisoformat(fields["InvoiceDate"])
    except ValueError:
        return malformed("InvoiceDate", f"{_shown(fields['InvoiceDate'])} is not an ISO 8601 time")
    if not _DECIMAL.fullmatch(fields["UnitPrice"]):
        return malformed("UnitPrice", f"{_shown(fields['UnitPrice'])} is not a decimal number")
    return InvoiceLine(
        fields["StockCode"].upper(), quantity, fields["UnitPrice"], fields["Description"] or None
    )


def _is_key(number: str) -> bool:
    """Whether a number can be an ``Idempotency-Key``: the header of a request."""
    return len(number) <= _MAX_NUMBER and number.isascii() and number.isprintable()


def _shown(text: str) -> str:
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
