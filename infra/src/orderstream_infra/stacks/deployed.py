"""What every stack begins with."""

from aws_cdk import DefaultStackSynthesizer, Environment, Stack
from constructs import Construct

from orderstream_infra.deployment import Deployment


class DeployedStack(Stack):
    """A stack of this deployment.

    Args:
        scope: The app.
        name: The stack's name in AWS.
        deployment: Where it goes.
        description: What it holds, for the console.
        lasting: Whether AWS refuses to delete it.
    """

    def __init__(
        self, scope: Construct, name: str, deployment: Deployment, description: str, *, lasting: bool = False
    ) -> None:
        super().__init__(
            scope,
            name,
            # No bootstrap of the CDK is needed: the template alone is deployed.
            synthesizer=DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            env=Environment(account=deployment.account, region=deployment.region),
            termination_protection=True if lasting else None,
            description=f"Orderstream: {description}",
        )
