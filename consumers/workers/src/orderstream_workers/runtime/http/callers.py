"""Authentication of the orders API by its settings: how callers are known, and whose tokens are accepted."""

import datetime as dt
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import httpx

from orderstream_consumer.health.watch import Dependency
from orderstream_orders.callers import (
    Authentication,
    GatewayCallers,
    GatewaySecretError,
    LoopbackCallers,
    is_loopback,
)
from orderstream_orders.callers.bearer import BearerCallers
from orderstream_orders.callers.fetching import KeySetLocationError, fetch_from
from orderstream_orders.callers.key_store import IssuerKeys
from orderstream_orders.callers.token import TokenPolicy
from orderstream_workers.runtime.settings import Settings, SettingsError

_JWT: Final = ("jwt_issuer", "jwt_audience", "jwt_keys")


@dataclass(frozen=True, slots=True)
class Callers:
    """How callers are authenticated, and what that needs.

    Attributes:
        authentication: Identifies the caller.
        dependencies: What it cannot do without.
        beside: What runs beside the server until stopped.
    """

    authentication: Authentication
    dependencies: tuple[Dependency, ...] = ()
    beside: tuple[Callable[[threading.Event], None], ...] = ()


def callers_of(
    settings: Settings,
    host: str,
    clock: Callable[[], dt.datetime],
    close_later: Callable[[Callable[[], None]], object],
) -> Callers:
    """What the settings say.

    Args:
        settings: Those of the process.
        host: The address that is listened on.
        clock: The time (UTC, with zone).
        close_later: Takes what is to be closed with the process.

    Raises:
        SettingsError: a setting is missing or unusable, or callers from other hosts would need no
            authentication.
    """
    match settings.auth:
        case "jwt":
            policy, keys = token_policy(settings), issuer_keys(settings, close_later)
            return Callers(
                BearerCallers(keys, policy, clock),
                (Dependency("issuer's key set", keys.ask),),
                (keys.run,),
            )
        case "gateway":
            secrets = [secret.strip() for secret in settings.gateway_secrets.split(",") if secret.strip()]
            try:
                return Callers(GatewayCallers(secrets))
            except GatewaySecretError as error:
                raise SettingsError(f"ORDERSTREAM_GATEWAY_SECRETS cannot be used: {error}") from error
        case "none":
            if not is_loopback(host):
                raise SettingsError(
                    "ORDERSTREAM_AUTH=none admits every caller, so the API listens on the loopback interface "
                    f"alone, not on {host}; set ORDERSTREAM_AUTH=jwt with ORDERSTREAM_JWT_ISSUER, "
                    "ORDERSTREAM_JWT_AUDIENCE and ORDERSTREAM_JWT_KEYS, or ORDERSTREAM_AUTH=gateway "
                    "with ORDERSTREAM_GATEWAY_SECRETS"
                )
            return Callers(LoopbackCallers())


def token_policy(settings: Settings) -> TokenPolicy:
    """Which tokens are ours.

    Raises:
        SettingsError: the settings do not say.
    """
    variables = Settings.variables()
    if missing := [variables[field] for field in _JWT if not getattr(settings, field)]:
        raise SettingsError(f"tokens cannot be verified without {', '.join(missing)}")
    return TokenPolicy(settings.jwt_issuer, settings.jwt_audience, settings.jwt_scope_prefix)


def issuer_keys(settings: Settings, close_later: Callable[[Callable[[], None]], object]) -> IssuerKeys:
    """The issuer's keys, not asked for yet.

    Raises:
        SettingsError: they cannot be read from where the settings say.
    """
    client = httpx.Client()
    close_later(client.close)
    try:
        return IssuerKeys(fetch_from(settings.jwt_keys, client), time.monotonic)
    except KeySetLocationError as error:
        raise SettingsError(f"ORDERSTREAM_JWT_KEYS cannot be used: {error}") from error
