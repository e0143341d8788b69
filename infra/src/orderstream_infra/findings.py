"""What AWS' own recommendations have against the stacks (cdk-nag, AwsSolutions), and why it stays.

Synthesis ends with a finding that is not here. A test finds each of these in the stacks, so that none
outlives its reason.
"""

from dataclasses import dataclass
from typing import Final

from aws_cdk import Acknowledgment, App, Validations
from cdk_nag import AwsSolutionsChecks


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A finding that stays.

    Attributes:
        rule: With what it is about in brackets, where the rule names it.
        reason: Why.
    """

    rule: str
    reason: str


def acknowledged(bucket: str) -> tuple[Acknowledged, ...]:
    """Every finding that stays.

    Args:
        bucket: ARN of the archive's bucket.
    """
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
            "ses:GetIdentityVerificationAttributes and ecr:GetAuthorizationToken know no resource; a test "
            "holds that nothing else is allowed for every resource",
        ),
        Acknowledged(
            "AwsSolutions-RDS6",
            "One user logs in, with a password that Amazon RDS makes and changes every week; a second way to "
            "log in that nobody uses is one more to guard",
        ),
        Acknowledged(
            "AwsSolutions-ECS2",
            "The variables are names and addresses; a test reads them back as settings, none of which is a "
            "secret",
        ),
    )


PACK: Final = "AwsSolutions"


def check(app: App, bucket: str, *, all_of_them: bool = False) -> None:
    """Have synthesis end with what is found.

    Args:
        app: The whole app.
        bucket: ARN of the archive's bucket.
        all_of_them: With what stays, too.
    """
    validations = Validations.of(app)
    validations.add_plugins(AwsSolutionsChecks())
    if not all_of_them:
        validations.acknowledge(
            *(
                Acknowledgment(id=f"{PACK}::{finding.rule}", reason=finding.reason)
                for finding in acknowledged(bucket)
            )
        )
