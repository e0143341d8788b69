"""The project's key: everything that holds orders is encrypted with it."""

from typing import Final

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

_PUBLISHERS: Final = ("cloudwatch.amazonaws.com",)


class ProjectKey(Construct):
    """A customer managed key that rotates, outlives its stack, and lets alarms reach operators."""

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
