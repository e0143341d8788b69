"""``python -m orderstream_infra.synth NAME=VALUE...``: write the CloudFormation templates."""

import sys
from collections.abc import Sequence

from orderstream.errors import OrderstreamError
from orderstream_infra.deployment import Deployment, DeploymentError


def main(arguments: Sequence[str] | None = None) -> int:
    """Synthesize.

    Args:
        arguments: ``out=FOLDER`` (default ``cdk.out``) and the fields of ``Deployment``, each ``name=value``;
            None takes the process's own.

    Returns:
        0 if the templates are written, 1 with one sentence on standard error if not.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    try:
        if wrong := [word for word in words if "=" not in word]:
            raise DeploymentError(f"{wrong[0]!r} is not of the form name=value")
        context = dict(word.split("=", 1) for word in words)
        out = context.pop("out", "cdk.out")
        deployment = Deployment.of(context)
        # Late: a wrong word is refused before node has started.
        from orderstream_infra.app import pipeline  # noqa: PLC0415
        from orderstream_infra.findings import written  # noqa: PLC0415

        written(pipeline(deployment, out=out))
    except OrderstreamError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
