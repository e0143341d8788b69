"""Kinesis' service model, as botocore brings it, held against what a client answers."""

import datetime as dt
from collections.abc import Callable
from functools import cache
from typing import Any

import botocore.session
from botocore.model import OperationModel, ServiceModel, Shape

_PYTHON_TYPES: dict[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "long": int,
    "boolean": bool,
    "blob": bytes,
    "timestamp": dt.datetime,
    "list": list,
    "structure": dict,
    "map": dict,
}


@cache
def service_model() -> ServiceModel:
    return botocore.session.get_session().get_service_model("kinesis")


def operation_model(operation: str) -> OperationModel:
    """The model of an operation by its API name."""
    return service_model().operation_model(operation)


def violations(shape: Shape, value: Any, where: str) -> list[str]:
    """What in a value is not as a shape demands: wrong types, unknown members, missing members."""
    if shape.serialization.get("eventstream"):
        return []  # what it gives is checked event by event
    if not isinstance(value, _PYTHON_TYPES[shape.type_name]):
        return [f"{where} is a {type(value).__name__}, not a {shape.type_name}"]
    found: list[str] = []
    if shape.type_name == "structure":
        members: dict[str, Shape] = shape.members
        found += [f"{where}.{name} is unknown" for name in value.keys() - members.keys()]
        found += [f"{where}.{name} is missing" for name in set(shape.required_members) - value.keys()]
        for name in value.keys() & members.keys():
            found += violations(members[name], value[name], f"{where}.{name}")
    elif shape.type_name == "list":
        for index, one in enumerate(value):
            found += violations(shape.member, one, f"{where}[{index}]")
    elif shape.type_name == "string" and (allowed := getattr(shape, "enum", [])) and value not in allowed:
        found.append(f"{where} is {value!r}, not one of {allowed}")
    return found


class CheckedClient:
    """A client that fails the test if a response breaks the service model."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        operation = "".join(word.capitalize() for word in name.split("_"))
        if operation not in service_model().operation_names:
            return getattr(self._client, name)
        return self._checked(getattr(self._client, name), operation_model(operation))

    @staticmethod
    def _checked(
        method: Callable[..., dict[str, Any]], model: OperationModel
    ) -> Callable[..., dict[str, Any]]:
        def call(**request: Any) -> dict[str, Any]:
            response = method(**request)
            assert response["ResponseMetadata"]["HTTPStatusCode"] == 200
            content = {name: value for name, value in response.items() if name != "ResponseMetadata"}
            if model.output_shape is not None:
                assert violations(model.output_shape, content, model.name) == []
            else:
                assert content == {}
            return response

        return call
