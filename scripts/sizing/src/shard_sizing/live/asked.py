"""How calls to a live stream fail: each as one sentence; a page from another server is no response."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from botocore.exceptions import ClientError

from orderstream.aws import (
    Refusals,
    UnreadableResponseError,
    aws_calls,
    error_parts,
    given_by_service,
    no_refusals,
    required,
)
from orderstream.errors import DependencyError, RequestInvalidError
from shard_sizing.errors import InputError

_LONGEST: Final = 300
"""Characters of what is said: a gateway's page may be long."""


@contextmanager
def stream_asked(stream: str, operation: str, refusals: Refusals = no_refusals) -> Iterator[None]:
    """Turn what a call about a stream raises into what is said of it. Take the response apart in the body.

    Args:
        stream: The stream's name.
        operation: What is asked of Kinesis.
        refusals: See ``aws_calls``.

    Raises:
        InputError: Why AWS refused it, or that its response cannot be read.
    """
    try:
        with aws_calls("kinesis", operation, resource=stream, refusals=refusals):
            yield
    except (DependencyError, RequestInvalidError) as error:
        raise InputError(f"stream {stream}", in_words(error)) from error


def call(stream: str, method: Callable[..., Any], **arguments: Any) -> Any:
    """Call a method of a client, and check that the response came from Kinesis.

    Raises:
        InputError: What AWS says against it.
    """
    with stream_asked(stream, getattr(method, "__name__", "")):
        return given_by_service(method(**arguments))


def summary_of(client: Any, stream: str) -> Mapping[str, Any]:
    """Return how Kinesis describes a stream.

    Raises:
        InputError: It does not exist, or may not be described.
    """
    with stream_asked(stream, "DescribeStreamSummary"):
        answer = client.describe_stream_summary(StreamName=stream)
        return required(answer, "StreamDescriptionSummary", dict)


def demand_record(record: Mapping[str, Any]) -> None:
    """See that a record has what is measured.

    Raises:
        UnreadableResponseError: It lacks its data, its key, its sequence number or the time of its arrival.
    """
    required(record, "ApproximateArrivalTimestamp", dt.datetime)
    for name in ("PartitionKey", "SequenceNumber"):
        required(record, name, str)
    if not isinstance(record.get("Data"), bytes):
        raise UnreadableResponseError("its response has a record without data")


def in_words(error: Exception) -> str:
    """What AWS says against a call, as its code and its message, in one line."""
    cause = error.__cause__ if isinstance(error, DependencyError) else error
    if isinstance(cause, ClientError):
        code, message, status = error_parts(cause)
        said = f"{code or status}: {message}"
    else:
        said = error.reason if isinstance(error, DependencyError | RequestInvalidError) else str(error)
    return " ".join(said.split())[:_LONGEST] or repr(error)
