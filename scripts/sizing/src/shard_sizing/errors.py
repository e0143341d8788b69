"""What the tool refuses, each as one clear sentence and exit status 1."""

from orderstream.errors import OrderstreamError


class InputError(OrderstreamError):
    """The input cannot be used as it is: a file, a row, an option or a stream.

    Args:
        what: Which input.
        problem: What is wrong with it and what to do.
    """

    def __init__(self, what: str, problem: str) -> None:
        self.what = what
        self.problem = problem
        super().__init__(f"{what}: {problem}")


class UnknownPriceError(InputError):
    """The price file has no such figure for the Region.

    Args:
        name: The figure.
        region: The Region.
    """

    def __init__(self, name: str, region: str) -> None:
        super().__init__(f"region {region}", f"its price {name} is not known; add it to a --prices FILE")
