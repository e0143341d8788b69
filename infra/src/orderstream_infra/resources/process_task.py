"""A command of ours as a task of Fargate, with a role and a log of its own."""

from collections.abc import Mapping, Sequence
from typing import Final

from aws_cdk import Duration, Stack
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_consumer.engines.config import EngineConfig
from orderstream_infra.deployment import Image
from orderstream_infra.resources.logs import kept_log
from orderstream_infra.resources.policies import statements
from orderstream_infra.rights import Right

_MARGIN: Final = 15.0
"""Seconds between the longest drain and the kill."""

_PROBE: Final = ecs.HealthCheck(
    command=["CMD", "python", "-m", "orderstream_workers.probe"],
    interval=Duration.seconds(10),
    timeout=Duration.seconds(5),
    start_period=Duration.seconds(90),
)


class ProcessTask(Construct):
    """What a task is made of. Nothing runs by it alone.

    Args:
        scope: Where it belongs.
        called: Its name: of its role, its log and its task, after ``orderstream``.
        command: What follows ``orderstream`` on its command line.
        image: The image, by its digest.
        environment: Its settings.
        rights: All that its role allows.
        key: Encrypts its log.
        asked: Whether its health is asked; what ends by itself has none.

    Attributes:
        definition: The task.
    """

    def __init__(
        self,
        scope: Construct,
        called: str,
        *,
        command: Sequence[str],
        image: Image,
        environment: Mapping[str, str],
        rights: tuple[Right, ...],
        key: kms.IKey,
        asked: bool = True,
    ) -> None:
        super().__init__(scope, f"Process-{called}")
        role = iam.Role(
            self,
            "Role",
            role_name=f"orderstream-{called}-{Stack.of(self).region}",
            assumed_by=iam.ServicePrincipal(
                "ecs-tasks.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            inline_policies={"rights": iam.PolicyDocument(statements=statements(self, rights, key))},
        )
        log = kept_log(self, "Log", called=f"/orderstream/{called}", key=key)
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"orderstream-{called}",
            cpu=256,
            memory_limit_mib=512,
            task_role=role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        self.definition.add_container(
            "process",
            image=ecs.ContainerImage.from_ecr_repository(
                ecr.Repository.from_repository_attributes(
                    self,
                    "Repository",
                    repository_arn=image.repository_arn,
                    repository_name=image.repository,
                ),
                image.digest,
            ),
            command=["orderstream", *command],
            environment=dict(environment),
            user="10001:10001",
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(EngineConfig().shutdown_timeout + _MARGIN),
            health_check=_PROBE if asked else None,
            # A line that is dropped is a failure that nobody hears of; ECS' own default drops silently.
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix="task", log_group=log, mode=ecs.AwsLogDriverMode.BLOCKING
            ),
        )
