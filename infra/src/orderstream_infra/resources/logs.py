"""Logs, which are encrypted with the project's key and kept for as long as is declared."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from orderstream_workers.runtime.topology.lifetimes import LOGS

DATABASE: Final = "orderstream-read-model"
"""What the read model's cluster is called in AWS."""

DATABASE_LOG: Final = f"/aws/rds/cluster/{DATABASE}/postgresql"
"""Its log; Amazon RDS gives it this name."""

ENCRYPTED: Final = ("/orderstream/*", DATABASE_LOG)
"""The logs that the project's key is for."""

_RETENTIONS: Final[Mapping[float | None, logs.RetentionDays]] = {90: logs.RetentionDays.THREE_MONTHS}


def kept_log(scope: Construct, name: str, *, called: str, key: kms.IKey) -> logs.LogGroup:
    """A log that outlives its stack.

    Args:
        scope: Where it belongs.
        name: Of the construct.
        called: Its name in AWS, one that the key's policy lets be encrypted.
        key: The project's key.
    """
    return logs.LogGroup(
        scope,
        name,
        log_group_name=called,
        encryption_key=key,
        retention=_RETENTIONS[LOGS.days],
        removal_policy=RemovalPolicy.RETAIN,
    )
