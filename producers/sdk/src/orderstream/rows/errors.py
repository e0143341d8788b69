"""Errors of a file of rows that cannot be read."""

from orderstream.errors import OrderstreamError


class RowError(OrderstreamError):
    """A file, or one row of it, cannot be used as it is.

    Args:
        source: The file's name.
        problem: What is wrong with it, and what to do.
        line: The line that it is about, counted from 1 as editors do; None if it is the whole file.
    """

    def __init__(self, source: str, problem: str, line: int | None = None) -> None:
        self.source = source
        self.problem = problem
        self.line = line
        location = "" if line is None else f"line {line}: "
        super().__init__(f"{source}: {location}{problem}")
