"""What operators see: alarms, and the dashboard. The last stack: no other needs it."""

from typing import Final

from constructs import Construct

from orderstream_infra.deployment import Deployment
from orderstream_infra.resources.monitoring.alarms import Alarms
from orderstream_infra.resources.monitoring.dashboard import Dashboard
from orderstream_infra.resources.monitoring.measured import Measured
from orderstream_infra.stacks.deployed import DeployedStack
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import Topology
from orderstream_workers.runtime.topology.alarms import alarms
from orderstream_workers.runtime.topology.dashboard import dashboard
from orderstream_workers.runtime.topology.pipeline import OPERATORS_TOPIC

OBSERVABILITY: Final = "orderstream-observability"
"""The stack's name."""

DASHBOARD: Final = "orderstream"
"""What the dashboard is called in AWS."""


class ObservabilityStack(DeployedStack):
    """Alarms and the dashboard, the same in both sizes.

    Args:
        scope: The app.
        deployment: Where it goes, and whether everything is stopped.
        declared: The pipeline.
        settings: Say how everything is called.
        gateway: The id of the gateway.
    """

    def __init__(
        self,
        scope: Construct,
        deployment: Deployment,
        declared: Topology,
        settings: Settings,
        *,
        gateway: str,
    ) -> None:
        super().__init__(scope, OBSERVABILITY, deployment, "what operators see")
        measured = Measured(settings, gateway)
        made = Alarms(
            self,
            alarms(declared),
            measured=measured,
            topic=settings.name_of(OPERATORS_TOPIC),
            guide=deployment.operations_guide,
            silent=deployment.stopped,
        )
        Dashboard(self, called=DASHBOARD, rows=dashboard(declared), measured=measured, alarms=made.arns)
