"""What the spans of a process say of the process."""

import os
import socket
from functools import cached_property

from opentelemetry.sdk.resources import Resource


class ProcessResource(Resource):
    """A resource whose hash is made once: OpenTelemetry's makes JSON of it for every span that it exports."""

    @cached_property
    def _hash(self) -> int:
        return super().__hash__()

    def __hash__(self) -> int:
        return self._hash


def resource_of(process: str) -> Resource:
    """The resource of this process.

    Args:
        process: What its spans bear as ``service.name``.
    """
    known = Resource.create(
        {
            "service.name": process,
            "service.namespace": "orderstream",
            "host.name": socket.gethostname(),
            "process.pid": os.getpid(),
        }
    )
    return ProcessResource(known.attributes, known.schema_url)
