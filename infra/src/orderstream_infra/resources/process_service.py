"""A process of the pipeline as a service of Fargate."""

from collections.abc import Sequence
from typing import Final

from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from constructs import Construct

from orderstream_infra.resources.process_task import ProcessTask
from orderstream_workers.runtime.topology import Process

PORT: Final = 8080
"""Where a process in its container takes requests, or answers how it is."""

EVERYWHERE: Final = "0.0.0.0"  # noqa: S104 - inside its own container
"""The address that it listens on."""


def command_of(process: Process) -> tuple[str, ...]:
    """What follows ``orderstream`` on the command line of a process in a container.

    Args:
        process: As it is declared.
    """
    listening = ("--host", EVERYWHERE, "--port", str(PORT)) if process.serves == "http" else ()
    return (*process.command, *listening)


class ProcessService(Construct):
    """One task that runs one process.

    A deployment stops the old task before it starts the new one: two versions, or two engines, of an
    application never run at once, and what waits meanwhile waits in its stream or queue.

    Args:
        scope: Where it belongs.
        process: As it is declared.
        task: What runs.
        cluster: Where it runs.
        security_groups: Let nothing in.
        subnets: Where it runs.
    """

    def __init__(
        self,
        scope: Construct,
        process: Process,
        *,
        task: ProcessTask,
        cluster: ecs.ICluster,
        security_groups: Sequence[ec2.ISecurityGroup],
        subnets: ec2.SubnetSelection,
    ) -> None:
        super().__init__(scope, f"Service-{process.name}")
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=cluster,
            service_name=process.name,
            task_definition=task.definition,
            desired_count=1,
            min_healthy_percent=0,
            max_healthy_percent=100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            assign_public_ip=False,
            security_groups=list(security_groups),
            vpc_subnets=subnets,
        )
