"""Calls to AWS: how they fail, and what a response has to have to count as the service's own."""

from orderstream.aws.calls import (
    ExpectedRefusalError,
    Refusals,
    aws_calls,
    error_code,
    error_parts,
    expecting,
    no_refusals,
)
from orderstream.aws.responses import (
    UnreadableResponseError,
    given_by_service,
    required,
    responded_at,
)

__all__ = [
    "ExpectedRefusalError",
    "Refusals",
    "UnreadableResponseError",
    "aws_calls",
    "error_code",
    "error_parts",
    "expecting",
    "given_by_service",
    "no_refusals",
    "required",
    "responded_at",
]
