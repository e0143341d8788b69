"""Rights that no recorded run has used, each with the run that would need it. At most 15."""

from collections.abc import Mapping

NOT_RECORDED: Mapping[tuple[str, str], str] = {}
"""By action, and by the kind of the resource."""


def kind_of(resource: str) -> str:
    """What a resource is for: ``leases`` for every application's table of leases, else its own name.

    Args:
        resource: Its ARN.
    """
    name = resource.rpartition("/")[2].rpartition(":")[2]
    return "leases" if name.endswith("-consumer") else name.removeprefix("orderstream-")
