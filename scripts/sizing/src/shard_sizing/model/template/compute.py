"""What runs: tasks of Fargate, database servers, and the metrics of a cluster."""

from typing import Final

from shard_sizing.errors import InputError
from shard_sizing.model.cost.monthly import HOURS
from shard_sizing.model.pipeline.usage import Usage
from shard_sizing.model.template.cloudformation import Resource
from shard_sizing.model.template.priced import Priced, by_use

SERVICE: Final = "AWS::ECS::Service"

_UNITS_OF_A_VCPU: Final = 1024.0
_MIB_OF_A_GB: Final = 1024.0
_FREE_DISK_GB: Final = 20  # of a task
_SECRET: Final = Usage("Secrets Manager", "secrets", 1.0, "secret_month")
_BACKUPS: Final = "backups beyond the size of the database: how much changes a day is not counted"
_DATABASE_LOG: Final = "the database's own log: nothing counts its lines"


def task_size(service: Resource) -> tuple[float, float, float]:
    """Return tasks, vCPUs and GB of each, of a service of ECS; no task where none is known.

    Raises:
        InputError: The template does not say how many or how large they are.
    """
    task = service.referenced("TaskDefinition")
    tasks = service.number("DesiredCount", 1)
    if task is None or not _on_fargate(service):
        return 0.0, 0.0, 0.0
    vcpus, gb = task.number("Cpu", 0) / _UNITS_OF_A_VCPU, task.number("Memory", 0) / _MIB_OF_A_GB
    if not vcpus or not gb:
        raise InputError(task.name, "its Cpu and its Memory are needed for a price; Fargate asks for both")
    return tasks, vcpus, gb


def _on_fargate(service: Resource) -> bool:
    return service.get("LaunchType") == "FARGATE" and not service.get("CapacityProviderStrategy")


def service_of_tasks(service: Resource) -> Priced:
    """The tasks of a service, and their public addresses."""
    if not _on_fargate(service):
        return Priced(missing=("tasks that run elsewhere than on Fargate: their servers or Spot prices",))
    task = service.referenced("TaskDefinition")
    if task is None:
        return Priced(missing=("its tasks: their definition is in none of the given templates",))
    tasks, vcpus, gb = task_size(service)
    arm = task.get("RuntimePlatform.CpuArchitecture", "X86_64") == "ARM64"
    kind, name = ("ARM", "arm") if arm else ("x86", "x86")
    hours = tasks * HOURS
    standing = [
        Usage("Fargate", f"vCPU-hours ({kind})", hours * vcpus, f"fargate_{name}_vcpu_hour"),
        Usage("Fargate", f"GB-hours of memory ({kind})", hours * gb, f"fargate_{name}_gb_hour"),
    ]
    if service.get("NetworkConfiguration.AwsvpcConfiguration.AssignPublicIp") == "ENABLED":
        standing.append(Usage("VPC", "hours of public IPv4 addresses", hours, "public_ipv4_hour"))
    disk = task.number("EphemeralStorage.SizeInGiB", _FREE_DISK_GB)
    missing = (f"disks of tasks beyond {_FREE_DISK_GB} GB",) if disk > _FREE_DISK_GB else ()
    return Priced(standing=tuple(standing), missing=missing)


def task_definition(task: Resource) -> Priced:
    """A definition costs nothing; a task that no service runs is started by hand."""
    if any(task.is_(service.referenced("TaskDefinition")) for service in task.of_type(SERVICE)):
        return Priced(free="the service that runs it is priced")
    return Priced(missing=("a task that no service runs: how often it is started by hand is not known",))


def cluster(resource: Resource) -> Priced:
    """A cluster is free; the metrics of Container Insights are not."""
    settings = resource.objects("ClusterSettings")
    insights = any(each.get("Value") in ("enabled", "enhanced") for each in settings)
    missing = ("metrics of Container Insights: their number is not known",) if insights else ()
    return Priced(free="tasks are priced", missing=missing)


def database_cluster(resource: Resource) -> Priced:
    """The storage of Aurora; its capacity is that of its instances."""
    standing = (_SECRET,) if resource.get("ManageMasterUserPassword") else ()
    log = (_DATABASE_LOG,) if resource.get("EnableCloudwatchLogsExports") else ()
    return Priced(
        standing=standing,
        missing=("storage and I/O of the database: nothing counts what it holds", _BACKUPS, *log),
    )


def database_instance(resource: Resource) -> Priced:
    """A server of RDS, or the least capacity of an instance of Aurora Serverless v2."""
    kind = str(resource.get("DBInstanceClass", ""))
    owner = resource.referenced("DBClusterIdentifier")
    if kind == "db.serverless":
        if owner is None:
            return Priced(missing=("its capacity: its cluster is in none of the given templates",))
        least = owner.number("ServerlessV2ScalingConfiguration.MinCapacity", 0)
        most = owner.number("ServerlessV2ScalingConfiguration.MaxCapacity", least)
        used = Usage("RDS", "ACU-hours of Aurora, at least", least * HOURS, "aurora_acu_hour")
        return Priced(standing=(used,), missing=(f"capacity above {least:g} ACU, up to {most:g}",))
    if resource.get("Engine") != "postgres" or resource.get("StorageType", "gp2") != "gp3":
        return Priced(missing=("another engine than PostgreSQL, or another storage than gp3",))
    zones = "multi_az_" if resource.get("MultiAZ") in (True, "true") else ""
    name = kind.removeprefix("db.").replace(".", "_")
    standing = [
        Usage("RDS", f"hours of {kind}", HOURS, f"rds_postgres_{zones}{name}_hour"),
        Usage("RDS", "GB of disk (gp3)", resource.number("AllocatedStorage", 0), f"rds_{zones}gp3_gb_month"),
    ]
    if resource.get("ManageMasterUserPassword"):
        standing.append(_SECRET)
    log = (_DATABASE_LOG,) if resource.get("EnableCloudwatchLogsExports") else ()
    return Priced(standing=tuple(standing), missing=(_BACKUPS, *log))


def registry(_: Resource) -> Priced:
    """A registry keeps images, of sizes that no template says."""
    return Priced(missing=("images: no template says how large they are",))


def load_balancer(resource: Resource) -> Priced:
    """A load balancer of the second generation."""
    kind = resource.get("Type", "application")
    if kind not in ("application", "network"):
        return Priced(missing=("a load balancer that is neither for applications nor for networks",))
    hours = Usage("Load balancing", "hours of load balancers", HOURS, "load_balancer_hour")
    return Priced(standing=(hours,), missing=("capacity units of the load balancer: traffic is not counted",))


def gateway(resource: Resource) -> Priced:
    """An API of API Gateway: HTTP APIs are paid for by request."""
    if resource.get("ProtocolType") == "HTTP":
        return by_use("api_http_million")
    return Priced(missing=("an API that is no HTTP API",))
