"""Which failures a retry can resolve, and how long to wait before it."""

from collections.abc import Callable
from dataclasses import dataclass

# Responses that stay the same however often one asks (Kinesis API, "Common Errors" and the errors of
# PutRecords and ListShards). Everything else, unknown codes included, is retried: a record is given up
# for a known reason only. Signatures and credentials are not among them: an expired token, a clock that was
# set, a key that IAM does not know yet are cured by the next signature or the next credentials.
PERMANENT_CODES = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "InvalidArgumentException",
        "KMSAccessDeniedException",
        "KMSDisabledException",
        "KMSInvalidStateException",
        "KMSNotFoundException",
        "KMSOptInRequired",
        "NotAuthorized",
        "OptInRequired",
        "ResourceNotFoundException",
        "SerializationException",
        "UnknownOperationException",
        "ValidationError",
        "ValidationException",
    }
)


def is_retryable(code: str) -> bool:
    """Whether a call or entry that failed with this error code may succeed later."""
    return code not in PERMANENT_CODES


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with jitter, without an end or with one.

    Attributes:
        base_delay: What the first retry waits at most, in seconds.
        max_delay: What any retry waits at most, in seconds.
        random: Returns a number from 0 to 1.
        max_attempts: After how many attempts a record is given up, 1 or more; None for never.
    """

    base_delay: float
    max_delay: float
    random: Callable[[], float]
    max_attempts: int | None = None

    def gives_up(self, attempts: int) -> bool:
        """Whether there is no further attempt after so many."""
        return self.max_attempts is not None and attempts >= self.max_attempts

    def delay(self, failures: int) -> float:
        """Return the wait after so many failures in a row (1 or more): between half and the whole step."""
        step = min(self.max_delay, self.base_delay * 2.0 ** min(failures - 1, 30))
        return step * (0.5 + self.random() / 2)
