"""Which stream a consumer reads: a name, or an ARN that says whose it is and where."""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol, Self

from orderstream.configuration import ConfigError
from orderstream_consumer.consumer.errors import OtherStreamError
from orderstream_consumer.engines.stream_identity import StreamIdentity

if TYPE_CHECKING:
    from mypy_boto3_kinesis import KinesisClient

# Kinesis API, CreateStream.
_NAME: Final = re.compile(r"[a-zA-Z0-9_.-]{1,128}")
_ARN: Final = re.compile(
    r"arn:aws[^:]*:kinesis:(?P<region>[^:]*):\d{12}:stream/(?P<name>[a-zA-Z0-9_.-]{1,128})"
)


class KinesisReads(Protocol):
    """The calls that a consumer makes: boto3's Kinesis client has them, and ``FakeKinesis.client()``."""

    def describe_stream_summary(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out DescribeStreamSummary."""

    def list_shards(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out ListShards."""

    def get_shard_iterator(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out GetShardIterator."""

    def get_records(self, *args: Any, **kwargs: Any) -> Any:
        """Carry out GetRecords."""


@dataclass(frozen=True, slots=True)
class ConsumedName:
    """How a user named a stream.

    Attributes:
        name: The stream's name.
        arn: Its ARN, if that was given.
        region: The region that the ARN names; None without one.
    """

    name: str
    arn: str | None = None
    region: str | None = None

    @classmethod
    def of(cls, stream: object) -> Self:
        """Read a name or an ARN.

        Raises:
            ConfigError: It is neither.
        """
        # Callers without a type checker pass what os.environ.get() returned.
        if isinstance(stream, str):
            if _NAME.fullmatch(stream):
                return cls(stream)
            if found := _ARN.fullmatch(stream):
                return cls(found["name"], stream, found["region"])
        allowed = "a stream's name, 1 to 128 of A-Z a-z 0-9 _ . -, or its ARN"
        raise ConfigError("stream", stream, allowed)

    def identity(self, client: "KinesisClient", *, ordered: bool) -> StreamIdentity:
        """Ask Kinesis which stream the client reaches; see ``StreamIdentity.of``.

        Raises:
            OtherStreamError: It is not the one of the ARN.
            KeysUnorderedError: The records of a key must be in order, and the stream distributes them.
            StreamGoneError: There is no such stream.
            DependencyError: Kinesis could not be reached.
        """
        identity = StreamIdentity.of(client, self.name, ordered=ordered)
        if self.arn is not None and identity.arn != self.arn:
            raise OtherStreamError(self.arn, identity.arn)
        return identity
