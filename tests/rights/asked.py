"""What IAM is asked for when a service is called: a function of the call.

A call of a kind that is not known here asks for its own name on ``*``, which no role of ours allows: a new
kind of call is refused until somebody has looked up what IAM asks for.
"""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from orderstream.testing.errors import KinesisError
from orderstream.testing.state.iterators import ShardIterator, ShardsToken, decode
from rights.policy import Request

ACCOUNT = "000000000000"
REGION = "us-east-1"

# IAM has no action for a transaction: it asks for each item's own.
_OF_A_TRANSACTION = {
    "Put": "PutItem",
    "Update": "UpdateItem",
    "Delete": "DeleteItem",
    "ConditionCheck": "ConditionCheckItem",
    "Get": "GetItem",
}
# Operations of S3 that IAM knows under another name.
_OF_A_BUCKET = {"HeadBucket": "ListBucket", "ListObjectsV2": "ListBucket", "CreateBucket": "CreateBucket"}
_OF_AN_OBJECT = {"HeadObject": "GetObject", "GetObject": "GetObject", "PutObject": "PutObject"}


def asked(
    service: str, operation: str, arguments: Mapping[str, Any], context: Mapping[str, str] | None = None
) -> tuple[Request, ...]:
    """Everything that IAM has to allow before a call is carried out.

    Args:
        service: As botocore calls it, or as the call is signed for.
        operation: As the service's model calls it.
        arguments: The operation's members.
        context: Condition keys that the request brings.
    """
    found = dict.fromkeys(_KINDS.get(service, _unknown)(operation, arguments))
    return tuple(Request(action, resource, context or {}) for action, resource in found)


def _unknown(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"unknown:{operation}", "*"


def _dynamodb(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if operation in {"TransactWriteItems", "TransactGetItems"}:
        for item in arguments["TransactItems"]:
            for kind, one in item.items():
                yield f"dynamodb:{_OF_A_TRANSACTION[kind]}", _table(one["TableName"])
    elif operation in {"BatchGetItem", "BatchWriteItem"}:
        for name in arguments["RequestItems"]:
            yield f"dynamodb:{operation}", _table(name)
    elif "TableName" in arguments:
        index = f"/index/{arguments['IndexName']}" if "IndexName" in arguments else ""
        yield f"dynamodb:{operation}", _table(arguments["TableName"]) + index
    else:
        yield f"dynamodb:{operation}", "*"


def _kinesis(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if "ConsumerARN" in arguments:
        yield f"kinesis:{operation}", arguments["ConsumerARN"]
    elif "StreamARN" in arguments:
        yield f"kinesis:{operation}", arguments["StreamARN"]
    else:
        name = arguments.get("StreamName") or _stream_of_a_token(arguments)
        yield f"kinesis:{operation}", _arn("kinesis", f"stream/{name}") if name else "*"


def _stream_of_a_token(arguments: Mapping[str, Any]) -> str | None:
    """The stream that an iterator, or the token of a page, belongs to: nothing else in the call names it."""
    with suppress(KinesisError):
        if "ShardIterator" in arguments:
            return decode(arguments["ShardIterator"], ShardIterator, "ShardIterator").stream
        if "NextToken" in arguments:
            return decode(arguments["NextToken"], ShardsToken, "NextToken").stream
    return None


def _sqs(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = arguments.get("QueueName") or str(arguments.get("QueueUrl", "")).rpartition("/")[2]
    yield f"sqs:{operation.removesuffix('Batch')}", _arn("sqs", name) if name else "*"


def _sns(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    name = arguments.get("Name")
    yield f"sns:{operation}", arguments.get("TopicArn") or (_arn("sns", name) if name else "*")


def _ses(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sender = arguments.get("Source")
    yield f"ses:{operation}", _arn("ses", f"identity/{sender}") if sender else "*"


def _s3(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    bucket = f"arn:aws:s3:::{arguments.get('Bucket', '')}"
    if operation in _OF_A_BUCKET:
        yield f"s3:{_OF_A_BUCKET[operation]}", bucket
    elif operation in _OF_AN_OBJECT:
        yield f"s3:{_OF_AN_OBJECT[operation]}", f"{bucket}/{arguments['Key']}"
    else:
        yield f"s3:{operation}", "*"


def _secretsmanager(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    secret = str(arguments.get("SecretId", ""))
    arn = secret if secret.startswith("arn:") else _arn("secretsmanager", f"secret:{secret}")
    yield f"secretsmanager:{operation}", arn if secret else "*"


def _monitoring(operation: str, arguments: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield f"cloudwatch:{operation}", "*"  # knows no resources


_KINDS = {
    "dynamodb": _dynamodb,
    "kinesis": _kinesis,
    "sqs": _sqs,
    "sns": _sns,
    "ses": _ses,
    "s3": _s3,
    "secretsmanager": _secretsmanager,
    "monitoring": _monitoring,
}


def _table(name: str) -> str:
    return name if name.startswith("arn:") else _arn("dynamodb", f"table/{name}")


def _arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
