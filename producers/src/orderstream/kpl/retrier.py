"""Which failures a retry can mend, and how long to wait before it."""

from collections.abc import Callable
from dataclasses import dataclass

# Answers that stay the same however often one asks (Kinesis API, "Common Errors" and the errors of PutRecords
# and ListShards). Everything else, codes never heard of included, is retried: a record is given up for a
# known reason only.
PERMANENT_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidArgumentException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
        "KMSOptInRequired",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "ResourceNotFoundException",
        "SerializationException",
        "SignatureDoesNotMatch",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationError",
        "ValidationException",
    }
)


def is_retryable(code: str) -> bool:
    """Whether a call or entry that failed with this error code may succeed later."""
    return code not in PERMANENT_CODES


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter, without an end.

    Attributes:
        base_delay: What the first retry waits at most, in seconds.
        max_delay: What any retry waits at most, in seconds.
        random: Returns a number from 0 to 1.
    """

    base_delay: float
    max_delay: float
    random: Callable[[], float]

    def delay(self, failures: int) -> float:
        """Return the wait after so many failures in a row (1 or more): between half and the whole step."""
        step = min(self.max_delay, self.base_delay * 2.0 ** min(failures - 1, 30))
        return step * (0.5 + self.random() / 2)
