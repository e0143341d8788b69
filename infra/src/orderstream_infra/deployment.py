"""What a deployment is asked for: where it goes, and which image it runs."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Self

from orderstream.errors import OrderstreamError

_ACCOUNT: Final = re.compile(r"\d{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_IMAGE: Final = re.compile(r"\S+@sha256:[0-9a-f]{64}")
_SHARDS: Final = 4


class DeploymentError(OrderstreamError):
    """A deployment cannot be synthesized as asked for.

    Args:
        reason: What is wrong, and what it may be.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; nothing was synthesized")


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment's own choices. Everything else follows from the topology.

    Attributes:
        account: The AWS account, twelve digits.
        region: The AWS region.
        image: The container image with its digest, ``REPOSITORY@sha256:...``: a tag can be moved.
        payments_api_url: Base URL of the Payments API, over TLS.
        mail_sender: Address that notifications are sent from.
        operators_email: Address that is subscribed to the operators' topic; None subscribes nobody.
        shards: Shards of each stream whose declaration leaves them open, at least 1. Default 4.

    Raises:
        DeploymentError: one of them is missing or cannot be used.
    """

    account: str
    region: str
    image: str
    payments_api_url: str
    mail_sender: str
    operators_email: str | None = None
    shards: int = _SHARDS

    def __post_init__(self) -> None:
        """Check each."""
        if not _ACCOUNT.fullmatch(self.account):
            raise DeploymentError(f"account must be twelve digits, not {self.account!r}")
        if not _REGION.fullmatch(self.region):
            raise DeploymentError(f"region must be a region such as eu-central-1, not {self.region!r}")
        if not _IMAGE.fullmatch(self.image):
            raise DeploymentError(
                f"image must be named by its digest, REPOSITORY@sha256: and 64 hexadecimal digits, "
                f"not {self.image!r}"
            )
        if not self.payments_api_url.startswith("https://"):
            raise DeploymentError(f"payments_api_url must begin with https://, not {self.payments_api_url!r}")
        for field in ("mail_sender", "operators_email"):
            address = getattr(self, field)
            if address is not None and "@" not in address:
                raise DeploymentError(f"{field} must be an e-mail address, not {address!r}")
        if self.shards < 1:
            raise DeploymentError(f"shards must be at least 1, not {self.shards}")

    @property
    def partition(self) -> str:
        """The part of AWS that the region is in, with which every ARN there begins: mostly ``aws``."""
        of_prefix = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
        return next(
            (name for prefix, name in of_prefix.items() if self.region.startswith(f"{prefix}-")), "aws"
        )

    @classmethod
    def of(cls, context: Mapping[str, str]) -> Self:
        """Read a deployment from words of a command line.

        Args:
            context: By name.

        Raises:
            DeploymentError: a name is unknown or missing, or a value cannot be used.
        """
        names = cls.__dataclass_fields__
        if unknown := sorted(context.keys() - names.keys()):
            raise DeploymentError(f"there is no {unknown[0]}: there are {', '.join(names)}")
        needed = ("account", "region", "image", "payments_api_url", "mail_sender")
        if missing := [name for name in needed if not context.get(name)]:
            raise DeploymentError(f"{missing[0]} is missing")
        shards = context.get("shards", str(_SHARDS))
        if not shards.isdecimal():
            raise DeploymentError(f"shards must be a number, not {shards!r}")
        words = {name: context[name] for name in needed}
        return cls(**words, operators_email=context.get("operators_email"), shards=int(shards))
