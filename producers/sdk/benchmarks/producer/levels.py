"""What the producer is held to, and where a run of the benchmark falls short of it."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

OURS: Final = "orderstream"
MOST_CPU: Final = {50: 5.0, 250: 6.0, 1024: 13.0}
"""Microseconds of CPU a record, by the payload's bytes."""

LEAST_RATE: Final = 150_000
"""Records a second from one process, at 250 bytes."""

CHEAPER: Final = {"KPL 1.1.1 (Java and native)": 10.0, "boto3 put_records x500": 4.0}
"""How many times our CPU a peer has to cost at 250 bytes."""

FAULTS: Final = ("lost", "misrouted", "dropped_by_kcl", "inversions", "duplicates")


def missed(results: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Say what a run falls short of, a line for each; nothing that it did not measure."""
    cheapest: dict[int, float] = {}
    for result in results:
        if not result["peer"].startswith(OURS):
            continue
        size, cpu = result["size"], result["cpu"]
        cheapest[size] = min(cpu, cheapest.get(size, cpu))
        if cpu > MOST_CPU.get(size, cpu):
            yield f"{result['peer']}: {cpu:.1f} us a record of {size} bytes, {MOST_CPU[size]:g} allowed"
        for fault in FAULTS:
            if result["report"][fault]:
                yield f"{result['peer']}: {result['report'][fault]} {fault} at {size} bytes"
    rates = [r["records"] / r["seconds"] for r in results if r["size"] == 250 and r["peer"].startswith(OURS)]
    if rates and max(rates) < LEAST_RATE:
        yield f"{max(rates):,.0f} records a second of 250 bytes, at least {LEAST_RATE:,} wanted"
    for result in results:
        wanted = CHEAPER.get(result["peer"])
        if wanted and result["size"] == 250 and 250 in cheapest and result["cpu"] < wanted * cheapest[250]:
            times = result["cpu"] / cheapest[250]
            yield f"{result['peer']} costs {times:.1f} times ours at 250 bytes, at least {wanted:g} wanted"
