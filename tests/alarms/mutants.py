"""Alarms with a planted defect, beside the real ones: each has to give itself away in some fault."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from orderstream_workers.runtime.topology.alarm_spec import AlarmSpec, Comparison

_TURNED: Final[dict[Comparison, Comparison]] = {
    "GreaterThanThreshold": "LessThanThreshold",
    "GreaterThanOrEqualToThreshold": "LessThanOrEqualToThreshold",
    "LessThanThreshold": "GreaterThanThreshold",
    "LessThanOrEqualToThreshold": "GreaterThanOrEqualToThreshold",
}

_FAR: Final = 10_000
"""Beyond what any fault comes to in a minute: some hundred refused records, each of which counts for ten or
more where minutes are short."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """An alarm with a planted defect.

    Attributes:
        spec: It, under a name of its own.
        of: The name of the alarm that it was made of.
    """

    spec: AlarmSpec
    of: str


def mutants_of(specs: Iterable[AlarmSpec]) -> Iterator[Mutant]:
    """Each alarm with its threshold moved, its comparison turned; one that silence fires, deaf to it, too."""
    for spec in specs:
        name = spec.name
        yield Mutant(replace(spec, name=f"{name}-moved", threshold=10 * spec.threshold + _FAR), name)
        yield Mutant(replace(spec, name=f"{name}-turned", comparison=_TURNED[spec.comparison]), name)
        if spec.missing == "breaching":
            yield Mutant(replace(spec, name=f"{name}-silent", missing="notBreaching"), name)


def survivors(
    mutants: Iterable[Mutant], wanted: Mapping[str, frozenset[str]], rang: Mapping[str, frozenset[str]]
) -> list[str]:
    """The mutants that no fault tells from what they were made of.

    Args:
        mutants: All of them; those of alarms that no fault fires are left out.
        wanted: By fault, the alarms that it should fire.
        rang: By fault, the mutants that rang while it lasted.
    """
    return [
        mutant.spec.name
        for mutant in mutants
        if any(mutant.of in alarms for alarms in wanted.values())
        and all(
            (mutant.spec.name in rang[fault]) == (mutant.of in alarms) for fault, alarms in wanted.items()
        )
    ]
