"""The project's key: everything that holds orders is encrypted with it."""

from typing import Final

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.resources.logs import ENCRYPTED

_PUBLISHERS: Final = ("cloudwatch.amazonaws.com",)


class ProjectKey(Construct):
    """A customer managed key that rotates, outlives its stack, and serves alarms and logs too."""

    def __init__(self, scope: Construct, name: str) -> None:
        super().__init__(scope, name)
        self.key = kms.Key(
            self,
            "Key",
            description="Streams, tables, queues, topics, archive and logs of Orderstream",
            enable_key_rotation=True,
            removal_policy=RemovalPolicy.RETAIN,
        )
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="AlarmsPublish",
                principals=[iam.ServicePrincipal(service) for service in _PUBLISHERS],
                actions=["kms:Decrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            )
        )
        logs = [
            Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=called,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
            for called in ENCRYPTED
        ]
        self.key.add_to_resource_policy(
            iam.PolicyStatement(
                sid="LogsAreKept",
                principals=[iam.ServicePrincipal(f"logs.{Stack.of(self).region}.amazonaws.com")],
                actions=["kms:Decrypt", "kms:Encrypt", "kms:GenerateDataKey"],
                resources=["*"],
                conditions={"ArnLike": {"kms:EncryptionContext:aws:logs:arn": logs}},
            )
        )
