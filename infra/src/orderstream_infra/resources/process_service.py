"""A process of the pipeline as a service of Fargate, with a role of its own."""

from collections.abc import Mapping
from typing import Final

from aws_cdk import Duration, RemovalPolicy, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from orderstream_consumer.engines.config import EngineConfig
from orderstream_infra.deployment import Image
from orderstream_infra.resources.policies import statements
from orderstream_infra.rights import Right
from orderstream_workers.runtime.topology import Process

_MARGIN: Final = 15.0
"""Seconds between the longest drain and the kill."""


class ProcessService(Construct):
    """One task that runs one process.

    A deployment stops the old task before it starts the new one: two versions, or two engines, of an
    application never run at once, and what waits meanwhile waits in its stream or queue.

    Args:
        scope: Where it belongs.
        process: As it is declared.
        cluster: Where it runs.
        image: The image, by its digest.
        environment: Its settings.
        rights: All that its role allows.
        key: Encrypts its log.
        security_group: Lets nothing in.
        subnets: Where it runs.
    """

    def __init__(
        self,
        scope: Construct,
        process: Process,
        *,
        cluster: ecs.ICluster,
        image: Image,
        environment: Mapping[str, str],
        rights: tuple[Right, ...],
        key: kms.IKey,
        security_group: ec2.ISecurityGroup,
        subnets: ec2.SubnetSelection,
    ) -> None:
        super().__init__(scope, f"Process-{process.name}")
        self.role = iam.Role(
            self,
            "Role",
            role_name=f"orderstream-{process.name}-{Stack.of(self).region}",
            assumed_by=iam.ServicePrincipal(
                "ecs-tasks.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            inline_policies={"rights": iam.PolicyDocument(statements=statements(self, rights, key))},
        )
        self.log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/orderstream/{process.name}",
            encryption_key=key,
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=RemovalPolicy.RETAIN,
        )
        task = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"orderstream-{process.name}",
            cpu=256,
            memory_limit_mib=512,
            task_role=self.role,
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        task.add_container(
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
            command=["orderstream", *process.command],
            environment=dict(environment),
            user="10001:10001",
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(EngineConfig().shutdown_timeout + _MARGIN),
            health_check=ecs.HealthCheck(
                command=["CMD", "python", "-m", "orderstream_workers.probe"],
                interval=Duration.seconds(10),
                timeout=Duration.seconds(5),
                start_period=Duration.seconds(90),
            ),
            # A line that is dropped is a failure that nobody hears of; ECS' own default drops silently.
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix="task", log_group=self.log, mode=ecs.AwsLogDriverMode.BLOCKING
            ),
        )
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            service_name=process.name,
            task_definition=task,
            desired_count=1,
            min_healthy_percent=0,
            max_healthy_percent=100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            assign_public_ip=False,
            security_groups=[security_group],
            vpc_subnets=subnets,
        )
