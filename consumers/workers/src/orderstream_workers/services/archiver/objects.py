"""Where archived objects are kept, and the one thing asked of it: the first writer of a name wins."""

from collections.abc import Iterator, Mapping
from typing import Final, Protocol

MAX_NAME_BYTES: Final = 1_024
"""Longest name of an object in S3, UTF-8."""

MAX_METADATA_BYTES: Final = 2_048
"""Most metadata of an object in S3, names and values together."""


class ObjectStore(Protocol):
    """Keeps objects under names; an object never changes."""

    def put_if_absent(self, key: str, body: bytes, metadata: Mapping[str, str]) -> bool:
        """Store an object unless there is one of that name.

        Args:
            key: Its name.
            body: Its content.
            metadata: Short ASCII texts beside it, by lower-case name.

        Returns:
            False if there is an object of that name.

        Raises:
            DependencyError: it is unknown whether it is stored; asking again is safe.
            ValueError: no S3 can ever store it: a name or metadata that it does not take.
        """

    def metadata(self, key: str) -> Mapping[str, str]:
        """The metadata of an object that is there.

        Raises:
            DependencyError: it could not be read.
        """

    def read(self, key: str) -> bytes:
        """The content of an object that is there.

        Raises:
            DependencyError: it could not be read.
        """

    def names(self, prefix: str = "") -> Iterator[str]:
        """The names that begin with a prefix, ascending.

        Raises:
            DependencyError: they could not be listed.
        """

    def folders(self) -> Iterator[str]:
        """The text before the first slash of the names, with that slash, each once, ascending.

        Raises:
            DependencyError: they could not be listed.
        """


def check_object(key: str, metadata: Mapping[str, str]) -> None:
    """Refuse a name and metadata that S3 refuses; a mistake of the caller, on every implementation.

    Raises:
        ValueError: the name is empty or too long; the metadata are too large, or not what a header can carry.
    """
    if not 1 <= len(key.encode()) <= MAX_NAME_BYTES:
        raise ValueError(
            f"an object's name has 1 to {MAX_NAME_BYTES:,} bytes, this one has {len(key.encode()):,}"
        )
    for text in (*metadata, *metadata.values()):
        # Values travel as headers: ASCII, one line, and no white space at either end, which would be cut.
        if not text.isascii() or not text.isprintable() or text != text.strip():
            raise ValueError(f"metadata are printable ASCII, not {text!r}")
    if any(name != name.lower() or not name for name in metadata):
        raise ValueError("names of metadata are in lower case")
    size = sum(len(name) + len(value) for name, value in metadata.items())
    if size > MAX_METADATA_BYTES:
        raise ValueError(
            f"an object has {MAX_METADATA_BYTES:,} bytes of metadata at most, this one has {size:,}"
        )
