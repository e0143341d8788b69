"""Commands of ours as a task of Fargate, with a role and a log of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
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
from orderstream_infra.resources.ports import EVERYWHERE, PORT
from orderstream_infra.rights import Right
from orderstream_workers.runtime.settings import HEALTH_PORT
from orderstream_workers.runtime.topology import Process

_MARGIN: Final = 15.0
"""Seconds between the longest drain and the kill."""

_PROBE: Final = ecs.HealthCheck(
    command=["CMD", "python", "-m", "orderstream_workers.probe"],
    interval=Duration.seconds(10),
    timeout=Duration.seconds(5),
    start_period=Duration.seconds(90),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command of ours in a container of its own.

    Attributes:
        name: Of the container.
        words: What follows ``orderstream`` on the command line.
        port: Where it reports its health: containers of one task share an address. None for a command that
            ends by itself, which is not asked, and whose end, however it ends, the others wait for.
    """

    name: str = "process"
    words: tuple[str, ...]
    port: int | None = PORT


def command_of(process: Process, name: str = "process", port: int = PORT) -> Command:
    """How a process is started in a container.

    Args:
        process: As it is declared.
        name: Of the container.
        port: Where it takes requests, or reports its health.
    """
    listening = ("--host", EVERYWHERE, "--port", str(port)) if process.serves == "http" else ()
    return Command(name=name, words=(*process.command, *listening), port=port)


class ProcessTask(Construct):
    """What a task is made of. Nothing runs by it alone.

    Where it has several containers, one that ends is started again in its place, and the others go on.

    Args:
        scope: Where it belongs.
        called: Its name: of its role, its log and its task, after ``orderstream``.
        commands: What runs in it, a container each.
        image: The image, by its digest.
        environment: Its settings.
        rights: All that its role allows.
        key: Encrypts its log.
        size: Its CPU units, of which 1,024 are one, and its memory in MiB.

    Attributes:
        definition: The task.
        log: What its containers print.
    """

    def __init__(
        self,
        scope: Construct,
        called: str,
        *,
        commands: Sequence[Command],
        image: Image,
        environment: Mapping[str, str],
        rights: Sequence[Right],
        key: kms.IKey,
        size: tuple[int, int] = (256, 512),
    ) -> None:
        super().__init__(scope, f"Task-{called}")
        self.log = kept_log(self, "Log", called=f"/orderstream/{called}", key=key)
        cpu, memory = size
        self.definition = ecs.FargateTaskDefinition(
            self,
            "Task",
            family=f"orderstream-{called}",
            cpu=cpu,
            memory_limit_mib=memory,
            task_role=self._role(called, rights, key),
            runtime_platform=ecs.RuntimePlatform(
                cpu_architecture=ecs.CpuArchitecture.ARM64,
                operating_system_family=ecs.OperatingSystemFamily.LINUX,
            ),
        )
        repository = ecr.Repository.from_repository_attributes(
            self, "Repository", repository_arn=image.repository_arn, repository_name=image.repository
        )
        found = ecs.ContainerImage.from_ecr_repository(repository, image.digest)
        several = len(commands) > 1
        made = {each: self._container(each, found, environment, several=several) for each in commands}
        for ends, container in made.items():
            if ends.port is None:
                for waits in made.keys() - {ends}:
                    made[waits].add_container_dependencies(
                        ecs.ContainerDependency(
                            container=container, condition=ecs.ContainerDependencyCondition.COMPLETE
                        )
                    )

    def _role(self, called: str, rights: Sequence[Right], key: kms.IKey) -> iam.Role:
        return iam.Role(
            self,
            "Role",
            role_name=f"orderstream-{called}-{Stack.of(self).region}",
            assumed_by=iam.ServicePrincipal(
                "ecs-tasks.amazonaws.com",
                conditions={"StringEquals": {"aws:SourceAccount": Stack.of(self).account}},
            ),
            inline_policies={"rights": iam.PolicyDocument(statements=statements(self, rights, key))},
        )

    def _container(
        self, command: Command, image: ecs.ContainerImage, environment: Mapping[str, str], *, several: bool
    ) -> ecs.ContainerDefinition:
        port = {} if command.port is None else {HEALTH_PORT: str(command.port)}
        return self.definition.add_container(
            command.name,
            image=image,
            command=["orderstream", *command.words],
            environment={**environment, **port},
            essential=command.port is not None or not several,
            enable_restart_policy=True if several and command.port is not None else None,
            user="10001:10001",
            readonly_root_filesystem=True,
            stop_timeout=Duration.seconds(EngineConfig().shutdown_timeout + _MARGIN),
            health_check=None if command.port is None else _PROBE,
            # A dropped line is an unnoticed failure; ECS' own default drops silently.
            logging=ecs.LogDrivers.aws_logs(
                stream_prefix="task", log_group=self.log, mode=ecs.AwsLogDriverMode.BLOCKING
            ),
        )
