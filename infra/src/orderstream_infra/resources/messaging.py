"""SQS queues with the queues of their dead letters, and SNS topics. Neither is reached without TLS."""

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from orderstream_workers.runtime.topology import QueueSpec, TopicSpec


class WorkQueue(Construct):
    """A queue, and the queue of its dead letters.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts both.
    """

    def __init__(self, scope: Construct, spec: QueueSpec, *, called: str, key: kms.IKey) -> None:
        super().__init__(scope, f"Queue-{spec.name}")
        self.dead_letters = self._queue("DeadLetters", spec.dead_letters_of(called), spec, key)
        self.queue = self._queue(
            "Queue",
            called,
            spec,
            key,
            visibility=Duration.seconds(spec.visibility_seconds),
            redrive=sqs.DeadLetterQueue(queue=self.dead_letters, max_receive_count=spec.max_receives),
        )

    def _queue(
        self,
        name: str,
        called: str,
        spec: QueueSpec,
        key: kms.IKey,
        *,
        visibility: Duration | None = None,
        redrive: sqs.DeadLetterQueue | None = None,
    ) -> sqs.Queue:
        return sqs.Queue(
            self,
            name,
            queue_name=called,
            visibility_timeout=visibility,
            retention_period=Duration.seconds(spec.retention_seconds),
            dead_letter_queue=redrive,
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            removal_policy=RemovalPolicy.RETAIN,
        )


def declared_topic(
    scope: Construct, spec: TopicSpec, *, called: str, key: kms.IKey, subscriber: str | None
) -> sns.Topic:
    """A topic that alarms may publish to, with one subscriber by e-mail if one is named.

    Args:
        scope: Where it belongs.
        spec: Its declaration.
        called: Its name in AWS.
        key: Encrypts it.
        subscriber: An e-mail address, which has to confirm; None makes no subscription.
    """
    topic = sns.Topic(scope, f"Topic-{spec.name}", topic_name=called, master_key=key, enforce_ssl=True)
    # The policy that refuses what comes without TLS takes the place of the default one: CloudWatch is named.
    topic.add_to_resource_policy(
        iam.PolicyStatement(
            sid="AlarmsPublish",
            principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
            actions=["sns:Publish"],
            resources=[topic.topic_arn],
            conditions={"StringEquals": {"aws:SourceAccount": Stack.of(scope).account}},
        )
    )
    if subscriber is not None:
        topic.add_subscription(subscriptions.EmailSubscription(subscriber))
    return topic
