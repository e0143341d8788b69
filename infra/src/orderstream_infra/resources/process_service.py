"""A task that runs for as long as the pipeline does, as a service of Fargate."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from aws_cdk import Duration
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_ecs as ecs
from aws_cdk import aws_servicediscovery as discovery
from constructs import Construct

from orderstream_infra.resources.ports import PORT
from orderstream_infra.resources.process_task import ProcessTask

_TTL: Final = Duration.seconds(10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """Where a task runs.

    Attributes:
        cluster: In which cluster.
        subnets: In which subnets.
        groups: Whom it may reach, and who reaches it.
        public: Whether it has an address in the internet, by which it gets out.
    """

    cluster: ecs.ICluster
    subnets: ec2.SubnetSelection
    groups: Sequence[ec2.ISecurityGroup]
    public: bool = False


class ProcessService(Construct):
    """One task at the start; where it is scaled, more of them follow.

    A deployment stops the old tasks before it starts the new one: two versions, or two engines, of an
    application do not run side by side, and what waits meanwhile waits in its stream or queue. A service
    that only takes requests starts the new task first, so that one task always responds.

    Args:
        scope: Where it belongs.
        called: Its name.
        task: What runs.
        location: Where.
        stopped: Whether nothing runs for now.
        seamless: Whether the new task may run beside the old one.

    Attributes:
        service: The service.
    """

    def __init__(
        self,
        scope: Construct,
        called: str,
        *,
        task: ProcessTask,
        location: Location,
        stopped: bool,
        seamless: bool = False,
    ) -> None:
        super().__init__(scope, f"Service-{called}")
        self._task = task
        self.service = ecs.FargateService(
            self,
            "Service",
            cluster=location.cluster,
            service_name=called,
            task_definition=task.definition,
            # Said outright, though it may be scaled: each deployment begins with one task, so that no old one
            # of many is left when the new one starts.
            desired_count=0 if stopped else 1,
            min_healthy_percent=100 if seamless else 0,
            max_healthy_percent=200 if seamless else 100,
            circuit_breaker=ecs.DeploymentCircuitBreaker(rollback=True),
            assign_public_ip=location.public,
            security_groups=list(location.groups),
            vpc_subnets=location.subnets,
        )

    def found_in(self, names: discovery.INamespace, container: str) -> discovery.IService:
        """Have its healthy tasks found by a name, with address and port.

        Args:
            names: Where the name is known.
            container: Which of the task's containers takes requests.

        Returns:
            What knows the tasks.
        """
        taking = self._task.definition.find_container(container)
        assert taking is not None
        taking.add_port_mappings(ecs.PortMapping(container_port=PORT))
        return self.service.enable_cloud_map(
            cloud_map_namespace=names,
            name=container,
            container=taking,
            container_port=PORT,
            # The gateway asks for a port, too, which only such a record holds.
            dns_record_type=discovery.DnsRecordType.SRV,
            dns_ttl=_TTL,
        )
