import pytest

from orderstream.producer.core.retrier import RetryPolicy, is_retryable


@pytest.mark.parametrize(
    "code", ["AccessDeniedException", "ResourceNotFoundException", "ValidationException"]
)
def test_what_stays_wrong_is_not_retried(code: str) -> None:
    """A response that will not change ends the retries."""
    assert not is_retryable(code)


@pytest.mark.parametrize(
    "code",
    [
        "ProvisionedThroughputExceededException",
        "InternalFailure",
        "KMSThrottlingException",
        "NeverHeardOf",
        "ExpiredTokenException",
        "InvalidSignatureException",
        "UnrecognizedClientException",
        "MissingAuthenticationTokenException",
    ],
)
def test_what_may_pass_is_retried(code: str) -> None:
    """Throttles, failures of the service, signatures, credentials and unknown codes are tried again."""
    assert is_retryable(code)


def test_delays_double_up_to_a_limit() -> None:
    """Without jitter the steps are the powers of two, capped, however long it goes on."""
    policy = RetryPolicy(0.1, 1.0, lambda: 1.0)
    assert [policy.delay(failures) for failures in (1, 2, 3, 4, 5)] == [0.1, 0.2, 0.4, 0.8, 1.0]
    assert policy.delay(100_000) == 1.0


def test_attempts_end_where_they_are_told_to() -> None:
    """One attempt means no retry; without a number there is always another."""
    assert RetryPolicy(0.1, 1.0, lambda: 1.0, max_attempts=1).gives_up(1)
    assert [RetryPolicy(0.1, 1.0, lambda: 1.0, 3).gives_up(attempts) for attempts in (1, 2, 3)] == [
        False,
        False,
        True,
    ]
    assert not RetryPolicy(0.1, 1.0, lambda: 1.0).gives_up(1_000_000)


def test_jitter_takes_away_up_to_half() -> None:
    """Producers that fail together do not come back together."""
    assert RetryPolicy(0.1, 1.0, lambda: 0.0).delay(1) == 0.05
    assert RetryPolicy(0.1, 1.0, lambda: 0.5).delay(1) == pytest.approx(0.075)
