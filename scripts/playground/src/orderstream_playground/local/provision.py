"""Creates what the pipeline needs in the emulators of a local environment, or of the containers.

``python -m orderstream_playground.local.provision TEMPLATE`` does it for the containers: it provisions from a
synthesized template wherever ``AWS_ENDPOINT_URL`` points. What is there already stays.
"""

import argparse
from pathlib import Path
from typing import Any

import boto3

from orderstream.errors import OrderstreamError
from orderstream_playground.local.environment import Layout
from orderstream_playground.local.template import Template, provision_from
from orderstream_workers.runtime import provision as everything
from orderstream_workers.runtime.read_model import migrate_read_model
from orderstream_workers.runtime.resources import Resources
from orderstream_workers.runtime.settings import Settings


def provision(layout: Layout) -> None:
    """Create whatever is missing.

    Args:
        layout: Where everything is.

    Raises:
        ProvisionError: an emulator refuses.
        DependencyError: one refuses what a template holds, or does not respond.
        TemplateError: the template that is named cannot be provisioned.
    """

    def make_client(service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=layout.kinesis_url if service == "kinesis" else layout.aws_url,
            region_name="us-east-1",
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106 - emulators take any
        )

    if layout.options.from_template:
        _from_template(Path(layout.options.from_template), layout.settings, make_client)
        with Resources(layout.settings) as resources:
            migrate_read_model(resources)
    else:
        everything.provision(layout.settings, layout.options.shards, make_client)


def _from_template(file: Path, settings: Settings, make_client: everything.MakeClient) -> None:
    """What CloudFormation makes; and the inbox that only this machine needs, where operators have mail."""
    provision_from(Template(file), make_client)
    topic = everything.operators_queue(settings)
    everything.topic_with_inbox(make_client("sns"), make_client("sqs"), topic)


def main() -> None:
    """Provision for the containers; the read model's tables are made by a container of their own."""
    parser = argparse.ArgumentParser(prog="provision", description="Provision what a template holds.")
    parser.add_argument("template", type=Path, help="file that `make infra-synth` has written")
    _from_template(
        parser.parse_args().template, Settings.from_environment(), everything.client_of_environment
    )


if __name__ == "__main__":
    try:
        main()
    except OrderstreamError as error:
        raise SystemExit(f"provision: {error}") from None
