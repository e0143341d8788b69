"""The lines of a text file: plain or in gzip, UTF-8, each of bounded length."""

import gzip
import io
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Final, TextIO

from orderstream.rows.errors import RowError

MAX_LINE_CHARACTERS: Final = 16 * 1024 * 1024
"""Longest line that is read into memory: a Kinesis record has at most 10 MiB, which is 13.4 MiB in base64."""

_GZIP: Final = b"\x1f\x8b"


class Lines:
    """The lines of a text, counted; a line without an end is not read into memory.

    Args:
        text: The text.
        file: The file that it is read from.
        source: Its name, for errors.
    """

    def __init__(self, text: TextIO, file: IO[bytes], source: str) -> None:
        self._text = text
        self._file = file
        self._source = source
        self.number = 0
        """The line that was read last, counted from 1."""

    def bytes_read(self) -> int:
        """Return how much of the file was read, packed as it is; 0 of a pipe, which cannot say."""
        try:
            return self._file.tell()
        except OSError:
            return 0

    def __iter__(self) -> Iterator[str]:
        lines = iter(partial(self._text.readline, MAX_LINE_CHARACTERS), "")
        for self.number, line in enumerate(lines, 1):
            if len(line) == MAX_LINE_CHARACTERS:
                problem = f"it has {MAX_LINE_CHARACTERS:,} characters or more, and no record is as large"
                raise RowError(self._source, problem, self.number)
            yield line


@contextmanager
def opened_lines(source: Path | io.BufferedReader, name: str) -> Iterator[Lines]:
    """Open a file and read its lines; what reading fails with becomes one sentence that names the line.

    Args:
        source: A path, or an open binary file; gzip is recognised by its content.
        name: What to call it in errors.

    Raises:
        RowError: the file is missing, cannot be opened, is cut, is no UTF-8, or a line is too long.
    """
    with ExitStack() as stack:
        lines = Lines(*_text(source, name, stack), name)
        try:
            yield lines
        except UnicodeDecodeError as error:
            problem = f"it is not UTF-8 text after line {lines.number} ({error.reason}); convert it first"
            raise RowError(name, problem) from error
        except (EOFError, OSError, zlib.error) as error:
            problem = f"it breaks off or is damaged after line {lines.number} ({error}); fetch it again"
            raise RowError(name, problem) from error


def _text(source: Path | io.BufferedReader, name: str, stack: ExitStack) -> tuple[TextIO, IO[bytes]]:
    file = source
    if isinstance(file, Path):
        try:
            file = stack.enter_context(file.open("rb"))
        except FileNotFoundError as error:
            raise RowError(name, "there is no such file") from error
        except OSError as error:
            raise RowError(name, f"it cannot be opened ({error.strerror})") from error
    try:
        packed = file.peek(2)[:2] == _GZIP
    except OSError as error:
        raise RowError(name, f"it cannot be read ({error.strerror})") from error
    content = stack.enter_context(gzip.GzipFile(fileobj=file)) if packed else file
    # Spreadsheets write a byte-order mark; it belongs to no column's name.
    return stack.enter_context(io.TextIOWrapper(content, encoding="utf-8-sig", newline="")), file
