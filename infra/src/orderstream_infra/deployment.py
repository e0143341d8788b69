"""What a deployment is asked for: where it goes, and which image it runs."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, dataclass
from typing import Final, Self

from orderstream.errors import OrderstreamError

_ACCOUNT: Final = re.compile(r"\d{12}")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_IMAGE: Final = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(\.cn)?"
    r"/(?P<repository>[a-z0-9][a-z0-9._/-]*)@(?P<digest>sha256:[0-9a-f]{64})"
)
_URL: Final = re.compile(r"https://[^/:@]+(:443)?(/.*)?")
_SIZES: Final = ("standard", "small")
_CAPACITIES: Final = ("provisioned", "on-demand")
_SHARDS: Final = {"standard": 4, "small": 1}
_YES: Final = {"yes": True, "no": False}
_OPTIONAL: Final = ("operators_email", "size", "capacity", "jwt_scope_prefix", "operations_guide")


class DeploymentError(OrderstreamError):
    """A deployment cannot be synthesized as asked for.

    Args:
        reason: What is wrong, and what it may be.
    """

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{reason}; nothing was synthesized")


@dataclass(frozen=True, slots=True)
class Image:
    """A container image in a registry of ECR.

    Attributes:
        repository_arn: ARN of its repository.
        repository: Name of its repository.
        digest: Which image.
    """

    repository_arn: str
    repository: str
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment's own choices. Everything else follows from the topology.

    Attributes:
        account: The AWS account, twelve digits.
        region: The AWS region.
        image: The container image in ECR with its digest, ``REPOSITORY@sha256:...``: a tag can be moved, and
            no other registry can be reached from the tasks.
        payments_api_url: Base URL of the Payments API, over TLS.
        mail_sender: Address that notifications are sent from.
        jwt_issuer: Issuer of the callers' tokens, their ``iss``, over TLS.
        jwt_audience: The tokens' ``aud``.
        jwt_keys: URL of the issuer's key set (its ``jwks_uri``), over TLS.
        operators_email: Address that is subscribed to the operators' topic; None makes no subscription.
        size: ``standard``, the default: a service for each process, in a network without a route to the
            internet. ``small``: one task that runs everything, in a network that costs nothing.
        capacity: ``provisioned``, the default, or ``on-demand``: who sees to it that the streams have enough
            shards. A stream whose declaration says how many it has is provisioned either way.
        jwt_scope_prefix: What the issuer puts before the names of our scopes; nothing by default.
        operations_guide: Where operators read the guide that alarms name: a URL; by default its path in the
            repository.
        shards: Shards of each provisioned stream whose declaration leaves them open, at least 1. None takes 4
            in ``standard`` and 1 in ``small``.
        stopped: Whether nothing runs for now: what is stored stays, and waits.
        traced: Share of the orders whose traces go to AWS X-Ray, above 0 to 1; None traces nothing.

    Raises:
        DeploymentError: one of them is missing or cannot be used.
    """

    account: str
    region: str
    image: str
    payments_api_url: str
    mail_sender: str
    jwt_issuer: str
    jwt_audience: str
    jwt_keys: str
    operators_email: str | None = None
    size: str = _SIZES[0]
    capacity: str = _CAPACITIES[0]
    jwt_scope_prefix: str = ""
    operations_guide: str = "docs/operations.md"
    shards: int | None = None
    stopped: bool = False
    traced: float | None = None

    def __post_init__(self) -> None:
        """Check each."""
        if not _ACCOUNT.fullmatch(self.account):
            raise DeploymentError(f"account must be twelve digits, not {self.account!r}")
        if not _REGION.fullmatch(self.region):
            raise DeploymentError(f"region must be a region such as eu-central-1, not {self.region!r}")
        if not _IMAGE.fullmatch(self.image):
            raise DeploymentError(
                "image must be one of ECR, named by its digest, "
                f"ACCOUNT.dkr.ecr.REGION.amazonaws.com/REPOSITORY@sha256: and 64 hexadecimal digits, "
                f"not {self.image!r}"
            )
        self._check_addresses()
        if self.size not in _SIZES:
            raise DeploymentError(f"size must be {' or '.join(_SIZES)}, not {self.size!r}")
        if self.capacity not in _CAPACITIES:
            raise DeploymentError(f"capacity must be {' or '.join(_CAPACITIES)}, not {self.capacity!r}")
        if self.shards is not None and self.capacity != _CAPACITIES[0]:
            raise DeploymentError(
                "shards are for capacity=provisioned: on demand, Kinesis chooses their number"
            )
        if self.shards is not None and self.shards < 1:
            raise DeploymentError(f"shards must be at least 1, not {self.shards}")
        if self.traced is not None and not 0 < self.traced <= 1:
            raise DeploymentError(f"traced must be above 0 and at most 1, not {self.traced}")

    def _check_addresses(self) -> None:
        for field in ("payments_api_url", "jwt_issuer", "jwt_keys"):
            if _URL.fullmatch(url := getattr(self, field)) is None:
                raise DeploymentError(f"{field} must begin with https:// and use port 443, not {url!r}")
        if not self.jwt_audience:
            raise DeploymentError("jwt_audience must be the tokens' aud, not empty")
        for field in ("mail_sender", "operators_email"):
            address = getattr(self, field)
            if address is not None and "@" not in address:
                raise DeploymentError(f"{field} must be an e-mail address, not {address!r}")

    @property
    def new_shards(self) -> int | None:
        """Shards of a new stream whose declaration leaves them open; None where Kinesis chooses."""
        return (self.shards or _SHARDS[self.size]) if self.capacity == _CAPACITIES[0] else None

    @property
    def partition(self) -> str:
        """The part of AWS that the region is in, with which every ARN there begins: mostly ``aws``."""
        of_prefix = {"cn": "aws-cn", "us-gov": "aws-us-gov"}
        return next(
            (name for prefix, name in of_prefix.items() if self.region.startswith(f"{prefix}-")), "aws"
        )

    @property
    def xray_url(self) -> str:
        """Where the region's AWS X-Ray takes traces over OTLP."""
        return f"https://xray.{self.region}.amazonaws.com{'.cn' if self.partition == 'aws-cn' else ''}"

    @property
    def pulled(self) -> Image:
        """The image, taken apart."""
        found = _IMAGE.fullmatch(self.image)
        assert found is not None
        where = f"{found['region']}:{found['account']}"
        arn = f"arn:{self.partition}:ecr:{where}:repository/{found['repository']}"
        return Image(arn, found["repository"], found["digest"])

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
        needed = tuple(name for name, field in names.items() if field.default is MISSING)
        if missing := [name for name in needed if not context.get(name)]:
            raise DeploymentError(f"{missing[0]} is missing")
        shards, stopped = context.get("shards"), context.get("stopped", "no")
        if shards is not None and not shards.isdecimal():
            raise DeploymentError(f"shards must be a number, not {shards!r}")
        if stopped not in _YES:
            raise DeploymentError(f"stopped must be {' or '.join(_YES)}, not {stopped!r}")
        words = {name: context[name] for name in needed}
        chosen = {name: context[name] for name in _OPTIONAL if name in context}
        return cls(
            **words,
            **chosen,
            shards=None if shards is None else int(shards),
            stopped=_YES[stopped],
            traced=_share(context.get("traced")),
        )


def _share(word: str | None) -> float | None:
    try:
        return None if word is None else float(word)
    except ValueError:
        raise DeploymentError(f"traced must be a number, not {word!r}") from None
