"""The app: which stacks there are, and what the processes in them are called."""

from typing import Final

from aws_cdk import App, Tags
from aws_cdk import aws_kms as kms

from orderstream_infra.declaration import GUIDE, check_alarms, checked
from orderstream_infra.deployment import Deployment
from orderstream_infra.findings import check
from orderstream_infra.resources.orders_api import OrdersApi
from orderstream_infra.resources.ports import EVERYWHERE, PORT
from orderstream_infra.rights import rights_of
from orderstream_infra.stacks.data import DataStack
from orderstream_infra.stacks.edge import EdgeStack
from orderstream_infra.stacks.network import NetworkStack
from orderstream_infra.stacks.observability import ObservabilityStack
from orderstream_infra.stacks.read_model import ReadModelStack
from orderstream_infra.stacks.small import SmallStack
from orderstream_infra.stacks.workers import WorkersStack
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Topology
from orderstream_workers.runtime.topology.pipeline import API

CONTEXT: Final = {"@aws-cdk/core:enablePartitionLiterals": True}
"""A stack with a region says ``aws`` in its ARNs, or ``aws-cn``: nothing is left to CloudFormation."""


PLANNED_SECRET: Final = "arn:{partition}:secretsmanager:{region}:{account}:secret:read-model"  # noqa: S105 - its ARN
"""Placeholder for the secret that Amazon RDS makes, until there is one."""


def settings_of(deployment: Deployment) -> Settings:
    """The settings of every process of a deployment, but for those that a secret holds.

    Args:
        deployment: Its account and region make names that are unique in all of AWS.
    """
    where = f"{deployment.account}-{deployment.region}"
    defaults = Settings()
    operators = defaults.operators_topic.rpartition(":")[2]
    return Settings(
        archive_bucket=f"{defaults.archive_bucket}-{where}",
        operators_topic=f"arn:{deployment.partition}:sns:{deployment.region}:{deployment.account}:{operators}",
        mail_sender=deployment.mail_sender,
        payments_api_url=deployment.payments_api_url,
        # Amazon RDS makes both names: the stacks put in what they refer to.
        read_model_url="postgresql+psycopg://read-model/orderstream",
        read_model_secret=PLANNED_SECRET.format(
            partition=deployment.partition, region=deployment.region, account=deployment.account
        ),
        auth="jwt",
        jwt_issuer=deployment.jwt_issuer,
        jwt_audience=deployment.jwt_audience,
        jwt_keys=deployment.jwt_keys,
        jwt_scope_prefix=deployment.jwt_scope_prefix,
        health_port=PORT,
        health_host=EVERYWHERE,
        tracing="none" if deployment.traced is None else "otlp",
        otlp_url=defaults.otlp_url if deployment.traced is None else deployment.xray_url,
        trace_ratio=defaults.trace_ratio if deployment.traced is None else deployment.traced,
    )


def pipeline(deployment: Deployment, *, out: str | None = None, acknowledging: bool = True) -> App:
    """The whole app.

    Args:
        deployment: Where it goes, and which image it runs.
        out: Folder for the templates; None takes a temporary one.
        acknowledging: False has synthesis end with every finding, those that stay too.

    Raises:
        DeploymentError: something is declared that no construct makes, or an alarm could never help.
        TopologyError: an application cannot be read.
    """
    # The CDK's own word about versions and paths would make two syntheses of one pipeline differ.
    app = App(outdir=out, analytics_reporting=False, tree_metadata=False, context=CONTEXT)
    settings = settings_of(deployment)
    declared = checked(topology(settings))
    check_alarms(declared, GUIDE.read_text(encoding="utf-8"))
    data = DataStack(app, deployment, declared, settings)
    if deployment.size == "small":
        api = SmallStack(app, deployment, declared, settings, key=data.key).gateway
    else:
        api = _standard(app, deployment, declared, settings, key=data.key)
    ObservabilityStack(app, deployment, declared, settings, gateway=api.id)
    Tags.of(app).add("project", "orderstream")
    check(app, deployment, settings.archive_bucket, all_of_them=not acknowledging)
    return app


def _standard(
    app: App, deployment: Deployment, declared: Topology, settings: Settings, *, key: kms.IKey
) -> OrdersApi:
    """The stacks of the size ``standard``: a service for each process, in a network that is closed.

    Returns:
        The gateway.
    """
    rights = [right for process in declared.processes for right in rights_of(process, settings)]
    network_stack = NetworkStack(app, deployment, declared, settings, rights=rights, key=key)
    read_model = ReadModelStack(app, deployment, declared, settings, network=network_stack.network, key=key)
    workers = WorkersStack(
        app,
        deployment,
        declared,
        read_model.settings,
        network=network_stack.network,
        cluster=network_stack.cluster,
        names=network_stack.names,
        key=key,
    )
    edge = EdgeStack(app, deployment, network=network_stack.network, tasks=workers.taking[API.name], key=key)
    return edge.gateway
