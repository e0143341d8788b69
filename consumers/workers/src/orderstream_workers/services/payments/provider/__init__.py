"""The payment provider: what is asked of it and what it says, over HTTP, within its limits."""

from orderstream_workers.services.payments.provider.protocol import (
    Charged,
    Declined,
    PaymentProvider,
    ProviderRefusedError,
    ProviderThrottledError,
    ProviderUnavailableError,
    Refunded,
)

__all__ = [
    "Charged",
    "Declined",
    "PaymentProvider",
    "ProviderRefusedError",
    "ProviderThrottledError",
    "ProviderUnavailableError",
    "Refunded",
]
