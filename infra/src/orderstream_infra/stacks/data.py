"""What holds orders: streams, tables, queues, topics and the archive. It outlives every other stack."""

from typing import Final

from aws_cdk import CfnOutput, RemovalPolicy
from aws_cdk import aws_kinesis as kinesis
from aws_cdk import aws_ses as ses
from constructs import Construct

from orderstream_consumer.store.protocol import TableSpec
from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.archive import archive_bucket
from orderstream_infra.resources.encryption import ProjectKey
from orderstream_infra.resources.messaging import WorkQueue, declared_topic
from orderstream_infra.resources.streams import declared_stream
from orderstream_infra.resources.tables import declared_table, lease_table
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import (
    BucketSpec,
    QueueSpec,
    SenderSpec,
    StreamSpec,
    TopicSpec,
    Topology,
)

DATA: Final = "orderstream-data"
"""The stack's name."""


class DataStack(DeployedStack):
    """Everything of the declaration that keeps something.

    Args:
        scope: The app.
        deployment: Where it goes.
        declared: The pipeline.
        settings: Say how everything is called.
    """

    def __init__(
        self, scope: Construct, deployment: Deployment, declared: Topology, settings: Settings
    ) -> None:
        super().__init__(scope, DATA, deployment, "what holds orders", lasting=True)
        self.key = ProjectKey(self, "Encryption").key
        called = settings.name_of
        changes: dict[TableSpec, kinesis.Stream] = {}
        for stream in declared.of(StreamSpec):
            shards = stream.shards or deployment.new_shards
            made = declared_stream(self, stream, called=called(stream), shards=shards, key=self.key)
            if stream.captures is not None:
                changes[stream.captures] = made
        for table in declared.of(TableSpec):
            declared_table(self, table, called=called(table), key=self.key, changes=changes.get(table))
        for application in declared.applications:
            lease_table(self, application.leases, called=called(application.leases), key=self.key)
        for queue in declared.of(QueueSpec):
            WorkQueue(self, queue, called=called(queue), key=self.key)
        for topic in declared.of(TopicSpec):
            name = called(topic).rpartition(":")[2]
            declared_topic(self, topic, called=name, key=self.key, subscriber=deployment.operators_email)
        for bucket in declared.of(BucketSpec):
            archive_bucket(self, bucket, called=called(bucket), key=self.key)
        for sender in declared.of(SenderSpec):
            identity = ses.EmailIdentity(
                self, f"Sender-{sender.name}", identity=ses.Identity.email(called(sender))
            )
            identity.apply_removal_policy(RemovalPolicy.RETAIN)
        CfnOutput(self, "KeyArn", value=self.key.key_arn, description="Encrypts everything here")
