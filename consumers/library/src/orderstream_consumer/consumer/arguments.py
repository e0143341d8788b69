"""Checks of a consumer's arguments, for callers without a type checker."""

import re
from typing import Final

from orderstream.configuration import ConfigError
from orderstream_consumer.consumer.config import ConsumerConfig

# DynamoDB API, CreateTable: what a table's name may be. The application's name becomes one.
_TABLE: Final = re.compile(r"[a-zA-Z0-9_.-]{3,255}")


def check_arguments(application: object, handler: object, batch_handler: object, config: object) -> None:
    """See that a consumer can be made of this.

    Raises:
        ConfigError: It cannot.
    """
    if not isinstance(config, ConsumerConfig):
        raise ConfigError("config", config, "a ConsumerConfig, or None for the defaults")
    table = config.lease_table or application
    for name, value in (("application", application), ("lease_table", table)):
        if not (isinstance(value, str) and _TABLE.fullmatch(value)):
            raise ConfigError(name, value, "3 to 255 of A-Z a-z 0-9 _ . -")
    if (handler is None) == (batch_handler is None):
        raise ConfigError("handler", handler, "a callable, or give batch_handler; one of the two")
    for name, value in (("handler", handler), ("batch_handler", batch_handler)):
        if value is not None and not isinstance(value, str) and not callable(value):
            raise ConfigError(name, value, "a callable, or 'module:function'")


def refuse_for_kcl(**injected: object) -> None:
    """See that nothing is handed over which KCL's own processes would not know.

    Raises:
        ConfigError: Something is.
    """
    for name, value in injected.items():
        if value is not None:
            allowed = (
                "None with engine='kcl', whose processes find credentials, region and endpoints in the "
                "environment"
            )
            raise ConfigError(name, value, allowed)
