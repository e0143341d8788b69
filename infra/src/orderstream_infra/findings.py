"""What AWS' own recommendations have against the stacks (cdk-nag, AwsSolutions), and why it stays.

Synthesis ends with a finding that is not here. A test finds each of these in the stacks, so that none
outlives its reason.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks

from orderstream.errors import OrderstreamError
from orderstream_infra.deployment import Deployment


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A finding that stays.

    Attributes:
        rule: With what it is about in brackets, where the rule names it.
        reason: Why.
    """

    rule: str
    reason: str


def acknowledged(deployment: Deployment, bucket: str) -> tuple[Acknowledged, ...]:
    """Every finding that stays.

    Args:
        deployment: Of which size.
        bucket: Name of the archive's bucket.
    """
    return (*_of_both(f"arn:{deployment.partition}:s3:::{bucket}"), *_OF_ONE[deployment.size])


_OF_ONE: Final = {
    "standard": (
        Acknowledged(
            "AwsSolutions-RDS6",
            "One user logs in, with a password that Amazon RDS makes and changes every week; a second way to "
            "log in that is not used is one more to guard",
        ),
    ),
    "small": (
        Acknowledged(
            "AwsSolutions-RDS3",
            "One zone, for the price: while the database is away, orders are carried out all the same, and "
            "nobody sees how they are doing",
        ),
        Acknowledged(
            "AwsSolutions-ECS4",
            "One task says how it is by its health and its log; figures of each container cost more than "
            "they are worth here",
        ),
    ),
}


def _of_both(bucket: str) -> tuple[Acknowledged, ...]:
    return (
        Acknowledged(
            "AwsSolutions-KDS3",
            "Streams are encrypted with the project's own key: a role cannot be bound to one stream with the "
            "key of AWS",
        ),
        Acknowledged(
            "AwsSolutions-S1",
            "Nothing in the archive can be replaced, and for a year nothing can be deleted; who reads it is "
            "the business of the account's trail, which a stack of one application does not own",
        ),
        Acknowledged(
            f"AwsSolutions-IAM5[Resource::{bucket}/*]",
            "The archiver names its objects by what is in them: their keys are not known before",
        ),
        Acknowledged(
            "AwsSolutions-IAM5[Resource::*]",
            "ses:GetIdentityVerificationAttributes, ecr:GetAuthorizationToken and xray:PutTraceSegments know "
            "no resource; a test holds that nothing else is allowed for every resource",
        ),
        Acknowledged(
            "AwsSolutions-ECS2",
            "The variables are names and addresses; a test reads them back as settings, none of which is a "
            "secret",
        ),
    )


PACK: Final = "AwsSolutions"


def check(app: App, deployment: Deployment, bucket: str, *, all_of_them: bool = False) -> None:
    """Have synthesis end with what is found.

    Args:
        app: The whole app.
        deployment: Of which size.
        bucket: Name of the archive's bucket.
        all_of_them: With what stays, too.
    """
    validations = Validations.of(app)
    validations.add_plugins(AwsSolutionsChecks())
    if not all_of_them:
        validations.acknowledge(
            *(
                Acknowledgment(id=f"{PACK}::{finding.rule}", reason=finding.reason)
                for finding in acknowledged(deployment, bucket)
            )
        )


class FoundError(OrderstreamError):
    """cdk-nag has something against the stacks that has no reason to stay.

    Args:
        rules: What, each as ``findings`` would name it.
        out: The folder of the templates.
    """

    def __init__(self, rules: tuple[str, ...], out: Path) -> None:
        self.rules = rules
        self.out = out
        super().__init__(
            f"cdk-nag finds {', '.join(rules)} in the stacks; mend that, or say in "
            f"orderstream_infra.findings why it stays, and deploy nothing of {out}"
        )


_REPORT: Final = "validation-report.json"


def written(app: App) -> None:
    """Write the templates, once nothing is found.

    Args:
        app: The whole app, checked.

    Raises:
        FoundError: something is.
    """
    try:
        app.synth()
    except RuntimeError as error:  # the one kind of error that comes out of node
        report = Path(app.outdir) / _REPORT
        if not report.exists():
            raise
        plugins = json.loads(report.read_bytes())["pluginReports"]
        found = {one["ruleName"] for plugin in plugins for one in plugin["violations"]}
        raise FoundError(tuple(sorted(found)), report.parent) from error
