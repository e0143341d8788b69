"""Logs, which are encrypted with the project's key and kept for as long as is declared."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import RemovalPolicy
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from orderstream_workers.runtime.topology.lifetimes import LOGS

DATABASE: Final = "orderstream-read-model"
"""What the read model's cluster is called in AWS."""

DATABASE_LOG: Final = f"/aws/rds/cluster/{DATABASE}/postgresql"
"""Its log; Amazon RDS gives it this name."""

SMALL_DATABASE: Final = "orderstream-small-read-model"
"""What the read model's one server of the size ``small`` is called in AWS."""

SMALL_DATABASE_LOG: Final = f"/aws/rds/instance/{SMALL_DATABASE}/postgresql"
"""Its log; Amazon RDS gives it this name."""

ENCRYPTED: Final = ("/orderstream/*", DATABASE_LOG, SMALL_DATABASE_LOG)
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


def refusals_logged(scope: Construct, vpc: ec2.Vpc, *, called: str, key: kms.IKey) -> None:
    """Log what a network did not let through: a task that looks for a way out leaves a trace.

    Args:
        scope: Where the log belongs.
        vpc: The network.
        called: The log's name in AWS.
        key: The project's key.
    """
    log = kept_log(scope, "Refused", called=called, key=key)
    vpc.add_flow_log(
        "FlowLog",
        destination=ec2.FlowLogDestination.to_cloud_watch_logs(log),
        traffic_type=ec2.FlowLogTrafficType.REJECT,
    )
