"""The read model: its database, the endpoint to its secret, and the task that makes and changes its tables.

The task has a stack that is deployed before the services': a new version's steps are taken while the former
version still works, and no service starts, or is rolled back, for tables that are not there yet.
"""

from typing import Final

from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.network.closed import Network
from orderstream_infra.resources.process_task import Command, ProcessTask
from orderstream_infra.resources.read_model import ReadModel, opened
from orderstream_infra.rights import to_database
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import DatabaseSpec, Topology

READ_MODEL: Final = "orderstream-read-model"
"""The stack's name."""

MIGRATION: Final = Command(name="migration", words=("read-model", "migrate", "--aws"), port=None)
"""Makes and changes the tables, and ends."""


class ReadModelStack(DeployedStack):
    """What order status is kept in.

    Args:
        scope: The app.
        deployment: Where it goes, and which image it runs.
        declared: The pipeline.
        settings: Those of every process, but for where the read model is.
        network: Where it is.
        key: The project's key.

    Attributes:
        settings: Those of every process.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        declared: Topology,
        settings: Settings,
        *,
        network: Network,
        key: kms.IKey,
    ) -> None:
        super().__init__(scope, READ_MODEL, deployment, "the read model", lasting=True)
        (spec,) = declared.of(DatabaseSpec)
        made = ReadModel(self, subnets=network.databases, group=network.groups.database, key=key)
        self.settings = opened(settings, made)
        rights = to_database(spec, self.settings)
        network.secrets_endpoint(self, rights)
        ProcessTask(
            self,
            "read-model-migration",
            commands=[MIGRATION],
            image=deployment.pulled,
            environment=self.settings.to_environment() | {"AWS_REGION": deployment.region},
            rights=rights,
            key=key,
        )
