"""A planned rate in words."""

_STATISTICS = {
    "p50": "the median",
    "p99": "the 99 %",
    "p99.9": "the 99.9 %",
    "max": "the busiest",
}


def peak_words(at: str, rate: float, mean: float) -> str:
    """Return a planned rate as part of a sentence: ``the 99.9 % minute, 141 records/s (107 times the mean)``.

    Args:
        at: The rate's name in the profile.
        rate: Records a second.
        mean: The mean rate.
    """
    amount = f"{rate:,.0f} records/s" if rate >= 10 else f"{rate:,.3g} records/s"
    if at == "mean":
        return f"the mean of {amount}"
    statistic, interval = at.split("-")
    times = rate / mean
    beside = "steady: the mean is the same" if 0.995 <= times <= 1.005 else f"{times:,.3g} times the mean"
    return f"{_STATISTICS[statistic]} {interval}, {amount} ({beside})"
