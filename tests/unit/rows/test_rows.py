"""One reader of tables: what it gives, and how it names what it cannot use."""

import gzip
import io
from pathlib import Path

import pytest

from orderstream.rows import RowError, TimeColumn, read_rows
from orderstream.rows.table import MAX_ROW_LINES

PACKED = gzip.compress(b"key,when\n" + b"a,1\n" * 1000, mtime=0)

Given = list[tuple[int, tuple[object, ...], int]]


def stream(content: bytes) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(content))


def read(content: bytes, *columns: str) -> Given:
    with read_rows(stream(content), "events", columns or ("key", "when")) as table:
        return [(row.line, tuple(row.values), row.size) for row in table.rows]


def test_rows_have_the_line_that_an_editor_shows() -> None:
    """The header is line 1, an empty line counts, and a row with a line end inside ends where it ends."""
    content = b'key,when\na,1\n\n"b\nc",2\nd,3\n'
    assert [(line, values[0]) for line, values, _ in read(content)] == [(2, "a"), (5, "b\nc"), (6, "d")]


def test_sizes_are_bytes_of_utf_8() -> None:
    """Kinesis counts bytes: a pound sign has two, in CSV and in NDJSON."""
    assert read("key,when\n££,1\n".encode())[0][2] == len("££,1".encode())
    line = '{"key": "££", "when": 1}'
    assert read(f"{line}\n".encode())[0][2] == len(line.encode())


def test_a_byte_order_mark_belongs_to_no_column() -> None:
    """Spreadsheets write one in front of the header."""
    assert read("\ufeffkey,when\na,1\n".encode())[0][1] == ("a", "1")


def test_gzip_is_recognised_by_its_content(tmp_path: Path) -> None:
    """Whatever the file is called, and on standard input too."""
    packed = gzip.compress(b"key,when\na,1\n")
    assert read(packed) == [(2, ("a", "1"), 3)]
    path = tmp_path / "events.csv"
    path.write_bytes(packed)
    with read_rows(path, "events", ["key"]) as table:
        assert [row.values for row in table.rows] == [["a"]]


def test_a_field_may_be_as_large_as_a_record() -> None:
    """The csv module's limit of 128 KiB is no limit of Kinesis'."""
    body = b"x" * 10 * 1024 * 1024
    assert read(b"key,when\n" + body + b",1\n")[0][2] == len(body) + 2


def test_short_and_surplus_rows_are_given_as_they_are() -> None:
    """The caller compares the fields with the header's and names the row."""
    with read_rows(stream(b"key,when\na\nb,1,2\n"), "events", ["key", "when"]) as table:
        assert table.width == 2
        assert [(row.fields, *row.values) for row in table.rows] == [(1, "a", ""), (3, "b", "1")]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it is empty"),
        (b"a,b\n1,2\n", "it has no column 'key', 'when'; it has a, b"),
        (b"key,when,key\n", "2 columns named 'key'"),
        (b'key,when\na,1\n"b,2\nc,3\n', "line 3: it is not CSV"),
        (b'key,when\n"a"b,1\n', "line 2: it is not CSV"),
        (b'key,when\n"a' + b"\n" * MAX_ROW_LINES + b'",1\n', "line 2: this row goes on for 101 lines"),
        (b"key,when\na,1\n\xff,2\n", "is not UTF-8"),
        (b'{"key": "a", "when": 1}\n{"key"\n', "line 2: it is not a JSON object"),
        (b'{"key": "a", "when": 1}\n{"key": "b"}\n', "line 2: it has no member 'when'"),
        (PACKED[:-20], "breaks off or is damaged"),
        (PACKED[:30] + b"\0" * 40, "breaks off or is damaged"),
    ],
)
def test_what_cannot_be_used_is_named(content: bytes, problem: str) -> None:
    """A table that is damaged is refused at its line; no row is lost in silence."""
    with pytest.raises(RowError, match="events: ") as refused:
        read(content)
    assert problem in str(refused.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """One sentence with the path."""
    path = tmp_path / "none.csv"
    with pytest.raises(RowError, match="there is no such file"), read_rows(path, str(path), ["key"]):
        pass


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("12.5", 12.5),
        ("1291191960", 1291191960.0),
        ("1291191960000", 1291191960.0),
        (1291191960000000, 1291191960.0),
        ("1291191960000000000", 1291191960.0),
        ("2010-12-01T08:26:00+00:00", 1291191960.0),
        ("2010-12-01 08:26", 1291191960.0),
    ],
)
def test_the_unit_of_a_number_shows_in_its_size(value: object, seconds: float) -> None:
    """Milliseconds taken for seconds would make a load a thousand times too small."""
    assert TimeColumn().seconds(value) == pytest.approx(seconds)


@pytest.mark.parametrize(
    "values",
    [
        ("1291191960", "1291191960000"),
        ("2010-12-01T08:26:00", "2010-12-01T08:26:00Z"),
        ("2010-12-01T08:26:00", "1291191960"),
        ("yesterday",),
        ("nan",),
        ("1e30",),
        (None,),
    ],
)
def test_times_of_another_kind_are_refused(values: tuple[object, ...]) -> None:
    """One column has one unit, and either always a zone or never."""
    read_time = TimeColumn().seconds
    with pytest.raises(ValueError, match=r"use one|is no time"):
        list(map(read_time, values))


@pytest.mark.parametrize("first", ["12.5", "1291191960000", "2010-12-01T08:26:00"])
@pytest.mark.parametrize(
    "values",
    [
        ("1", "2.5"),
        ("1291191961000", "1291191962000.5"),
        ("1291191961000", "1"),
        ("1", "nan"),
        ("inf", "-inf"),
        ("1", "1e30"),
        ("2010-12-01T08:26:00", "1"),
        (None, "1"),
    ],
)
def test_many_times_are_read_as_one_by_one(first: str, values: tuple[object, ...]) -> None:
    """All at once gives what each gives by itself, or nothing where one of them is to be looked at."""
    column, alone = TimeColumn(), TimeColumn()
    column.seconds(first)
    alone.seconds(first)
    many = column.all_seconds(values)
    assert many is None or many == [alone.seconds(value) for value in values]


def test_many_times_of_the_unit_seen_are_read_at_once() -> None:
    """The quick way is taken for the usual file, and only once its unit is known."""
    column = TimeColumn()
    assert column.all_seconds(["1291191960000"]) is None
    column.seconds("1291191960000")
    assert column.all_seconds(["1291191961000", "1291191961500"]) == [1291191961.0, 1291191961.5]
    assert column.all_seconds(["1291191961000", "nan"]) is None
    assert column.all_seconds(["1291191961000", "1291191961"]) is None
