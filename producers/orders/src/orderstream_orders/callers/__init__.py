"""Authentication of callers: by an issuer's tokens (extra ``auth``), by a gateway, or not at all.

The modules that need the extra are imported where they are used: ``bearer``, ``token``, ``key_set``,
``key_store`` and ``fetching``.
"""

from orderstream_orders.callers.caller import (
    ANONYMOUS,
    MAX_CALLER,
    OPERATE,
    READ,
    SCOPES,
    WRITE,
    Authentication,
    Caller,
    HeaderValues,
    Kind,
    Refusal,
    is_name,
)
from orderstream_orders.callers.gateway import GatewayCallers, GatewaySecretError
from orderstream_orders.callers.loopback import LoopbackCallers, is_loopback

__all__ = [
    "ANONYMOUS",
    "MAX_CALLER",
    "OPERATE",
    "READ",
    "SCOPES",
    "WRITE",
    "Authentication",
    "Caller",
    "GatewayCallers",
    "GatewaySecretError",
    "HeaderValues",
    "Kind",
    "LoopbackCallers",
    "Refusal",
    "is_loopback",
    "is_name",
]
