"""Rights as statements of IAM, with the use of the project's key that each implies."""

from collections.abc import Iterable
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from orderstream_infra.rights import Right

_ARNS: Final = {
    "table": "arn:{partition}:dynamodb:{region}:{account}:table/{name}",
    "stream": "arn:{partition}:kinesis:{region}:{account}:stream/{name}",
    "queue": "arn:{partition}:sqs:{region}:{account}:{name}",
    "topic": "{name}",
    "secret": "{name}",
    "bucket": "arn:{partition}:s3:::{name}",
    "objects": "arn:{partition}:s3:::{name}/*",
    "identity": "arn:{partition}:ses:{region}:{account}:identity/{name}",
}

# What a call costs in rights to the key, by the context that the service encrypts under: a role that may read
# one stream cannot decrypt another.
_CONTEXTS: Final = {
    "table": "aws:dynamodb:tableName",
    "stream": "aws:kinesis:arn",
    "queue": "aws:sqs:arn",
    "topic": "aws:sns:topicArn",
    "objects": "aws:s3:arn",
    "secret": "SecretARN",
}
_DECRYPTS: Final = frozenset(
    {"GetObject", "GetRecords", "GetSecretValue", "Publish", "ReceiveMessage", "SendMessage"}
)
_ENCRYPTS: Final = frozenset({"PutRecords", "SendMessage", "Publish", "PutObject"})


def statements(scope: Construct, rights: Iterable[Right], key: kms.IKey) -> list[iam.PolicyStatement]:
    """The statements that allow exactly these rights.

    Args:
        scope: In whose account and region the resources are.
        rights: What is needed.
        key: The project's key.
    """
    allowed: dict[tuple[str, ...], list[str]] = {}
    used: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for right in rights:
        arn = arn_of(scope, right)
        allowed.setdefault(tuple(f"{right.service}:{action}" for action in right.actions), []).append(arn)
        if use := _use_of_key(right):
            value = right.name if right.kind == "table" else arn.removesuffix("/*")
            used.setdefault((_CONTEXTS[right.kind], use), []).append(value)
    return [
        *(
            iam.PolicyStatement(actions=list(actions), resources=resources)
            for actions, resources in allowed.items()
        ),
        *(
            iam.PolicyStatement(
                actions=list(use),
                resources=[key.key_arn],
                conditions={"StringEquals": {f"kms:EncryptionContext:{context}": values}},
            )
            for (context, use), values in used.items()
        ),
    ]


def arn_of(scope: Construct, right: Right) -> str:
    """The ARN that a right is about; ``*`` where IAM knows no resource."""
    if right.name == "*":
        return "*"
    stack = Stack.of(scope)
    return _ARNS[right.kind].format(
        partition=stack.partition, region=stack.region, account=stack.account, name=right.name
    )


def _use_of_key(right: Right) -> tuple[str, ...]:
    actions = set(right.actions)
    if right.kind == "table":
        return ("kms:Decrypt",)
    decrypts = ("kms:Decrypt",) if actions & _DECRYPTS else ()
    return decrypts + (("kms:GenerateDataKey",) if actions & _ENCRYPTS else ())
