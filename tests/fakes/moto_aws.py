"""Clients of the AWS that moto plays, while ``moto.mock_aws`` is entered."""

from functools import cache
from typing import Any

import boto3

# Importing moto is what puts it between clients of later sessions and the network.
import moto  # noqa: F401


@cache
def _session() -> boto3.Session:
    """One for all tests: moto sets boto3's own aside, and a new one loads every model of a service anew."""
    return boto3.Session(region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x")


def moto_client(service: str, **options: Any) -> Any:
    """A client in us-east-1, unless the options of boto3's ``client`` say otherwise."""
    return _session().client(service, **options)  # type: ignore[call-overload]
