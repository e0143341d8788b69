"""Kinesis' service model, as botocore has it: operations and the shapes of their responses."""

from functools import cache
from typing import Final

import botocore.session
from botocore.model import ServiceModel, Shape

COMMON_ERRORS: Final = frozenset(
    {
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InternalFailure",
        "InternalServerError",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestEntityTooLarge",
        "RequestExpired",
        "RequestTimeout",
        "RequestTimeTooSkewed",
        "SerializationException",
        "ServiceUnavailable",
        "ServiceUnavailableException",
        "SignatureDoesNotMatch",
        "Throttling",
        "ThrottlingException",
        "UnknownOperationException",
        "UnrecognizedClientException",
        "ValidationError",
        "ValidationException",
    }
)
"""Codes that any service may return: "Common errors" of the API reference, as gateways spell them."""


@cache
def service_model() -> ServiceModel:
    """The model of the installed botocore."""
    return botocore.session.get_session().get_service_model("kinesis")


@cache
def operation_names() -> frozenset[str]:
    """The API names of all operations that Kinesis has."""
    return frozenset(service_model().operation_names)


@cache
def error_codes() -> frozenset[str]:
    """The codes that Kinesis returns: the model's, and those of every service."""
    return frozenset(shape.name for shape in service_model().error_shapes) | COMMON_ERRORS


def input_shapes() -> dict[str, Shape]:
    """The shape of each operation's request, by API name, but for operations that take none."""
    model = service_model()
    return {
        name: shape
        for name in model.operation_names
        if (shape := model.operation_model(name).input_shape) is not None
    }
