"""Creates what the pipeline needs in the emulators of a local environment."""

from pathlib import Path
from typing import Any

import boto3

from orderstream_playground.local.environment import Layout
from orderstream_playground.local.template import Template, provision_from
from orderstream_workers.runtime import provision as everything
from orderstream_workers.runtime.read_model import migrate_read_model
from orderstream_workers.runtime.resources import Resources


def provision(layout: Layout) -> None:
    """Create whatever is missing.

    Args:
        layout: Where everything is.

    Raises:
        ProvisionError: an emulator refuses.
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
        _from_template(layout, make_client)
    else:
        everything.provision(layout.settings, layout.options.shards, make_client)


def _from_template(layout: Layout, make_client: everything.MakeClient) -> None:
    """What CloudFormation makes; and what only this machine needs, or a deployment makes otherwise."""
    provision_from(Template(Path(layout.options.from_template)), make_client)
    topic = everything.operators_queue(layout.settings)
    everything.topic_with_inbox(make_client("sns"), make_client("sqs"), topic)
    with Resources(layout.settings) as resources:
        migrate_read_model(resources)
