"""Shares in words."""


def percent(share: float, digits: int = 0) -> str:
    """Return a share, 0 to 1, in per cent with so many digits after the point: ``12.5 %``, ``2,000 %``."""
    return f"{100 * share:,.{digits}f} %"
