"""The sizes in which Fargate sells a task.

From the task size table of the ECS developer guide: each number of vCPUs has the memory that goes with it.
"""

from typing import Final

from shard_sizing.errors import InputError

_TASKS: Final[dict[float, tuple[float, ...]]] = {
    0.25: (0.5, 1, 2),
    0.5: (1, 2, 3, 4),
    1: tuple(range(2, 9)),
    2: tuple(range(4, 17)),
    4: tuple(range(8, 31)),
    8: tuple(range(16, 61, 4)),
    16: tuple(range(32, 121, 8)),
}
VCPUS: Final = tuple(_TASKS)
"""The numbers of vCPUs there are."""


def task_for(vcpus: float, memory_gb: float) -> tuple[float, float]:
    """Return vCPUs and GB of the smallest task that has at least so much of both.

    Raises:
        InputError: No task has so much.
    """
    for has, memories in _TASKS.items():
        if has >= vcpus and (enough := [each for each in memories if each >= memory_gb]):
            return float(has), float(enough[0])
    most = max(_TASKS)
    raise InputError(
        "container",
        f"Fargate has no task of {vcpus:g} vCPUs and {memory_gb:g} GB, the largest is {most:g} "
        f"vCPUs and {_TASKS[most][-1]:g} GB",
    )
