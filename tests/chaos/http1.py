"""Just enough HTTP/1.1 to stand between boto3 and a server: whole messages in, whole messages out."""

from asyncio import IncompleteReadError, StreamReader
from dataclasses import dataclass, replace

_BODILESS = (204, 304)


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response.

    Attributes:
        start: Its first line, without the line end.
        headers: Names in lower case, and values.
        body: What follows, freed from its transfer coding.
    """

    start: str
    headers: tuple[tuple[str, str], ...]
    body: bytes = b""

    @property
    def status(self) -> int:
        """The status of a response."""
        return int(self.start.split(" ", 2)[1])

    def header(self, name: str) -> str:
        """A header's value, or an empty string."""
        return next((value for key, value in self.headers if key == name), "")

    def with_body(self, body: bytes) -> "Message":
        """The same message with another body; a checksum of the old one goes with it."""
        kept = tuple((key, value) for key, value in self.headers if key != "x-amz-crc32")
        return replace(self, headers=kept, body=body)

    def encode(self, *, bodiless: bool = False) -> bytes:
        """The message on the wire.

        Args:
            bodiless: It answers HEAD: the length it names is not its own.
        """
        dropped = {"transfer-encoding", "connection", "expect", *(() if bodiless else ("content-length",))}
        lines = [self.start, *(f"{key}: {value}" for key, value in self.headers if key not in dropped)]
        if not bodiless:
            lines.append(f"content-length: {len(self.body)}")
        return "\r\n".join([*lines, "", ""]).encode("latin-1") + self.body


async def read_head(reader: StreamReader) -> Message | None:
    """Read the first line and the headers; None where the other side has hung up."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (IncompleteReadError, ConnectionError):
        return None
    start, *lines = head[:-4].decode("latin-1").split("\r\n")
    pairs = (line.partition(":") for line in lines)
    return Message(start, tuple((key.strip().lower(), value.strip()) for key, _, value in pairs))


async def read_request_body(reader: StreamReader, head: Message) -> Message:
    """The request with its body."""
    if head.header("transfer-encoding") == "chunked":
        return replace(head, body=await _read_chunks(reader))
    return replace(head, body=await reader.readexactly(int(head.header("content-length") or 0)))


async def read_response(reader: StreamReader, *, bodiless: bool = False) -> Message:
    """Read a whole response.

    Args:
        reader: Where it comes from.
        bodiless: It answers HEAD.

    Raises:
        ConnectionResetError: the server hung up instead.
    """
    while (head := await read_head(reader)) is not None and 100 <= head.status < 200:
        pass
    if head is None:
        raise ConnectionResetError("the server closed the connection")
    if bodiless or head.status in _BODILESS:
        return head
    if head.header("transfer-encoding") == "chunked":
        return replace(head, body=await _read_chunks(reader))
    if length := head.header("content-length"):
        return replace(head, body=await reader.readexactly(int(length)))
    return replace(head, body=await reader.read())


async def _read_chunks(reader: StreamReader) -> bytes:
    chunks = []
    while size := int((await reader.readline()).split(b";")[0], 16):
        chunks.append(await reader.readexactly(size))
        await reader.readline()
    while (await reader.readline()).strip():
        pass  # trailers say nothing that anybody here asks for
    return b"".join(chunks)
