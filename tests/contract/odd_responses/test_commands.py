"""What a person starts once says in one sentence that a service gave no response of its own."""

from typing import Any

import pytest
from moto import mock_aws

from chaos.calls import Call
from fakes.moto_aws import moto_client
from hostile.adapters import SIZING, Clients, Operation
from hostile.responses import Delivery, Odd, Wire, good, members, outages, pages, shapes
from hostile.server import HostileServer
from orderstream_workers.runtime.clients import account
from orderstream_workers.runtime.provision import ProvisionError, provision
from orderstream_workers.runtime.settings import Settings
from shard_sizing.errors import InputError
from shard_sizing.live.account import room_for_shards
from shard_sizing.live.fan_out import FanOut
from shard_sizing.live.throttles import CloudWatchSilentError

SETTINGS = Settings(read_model_url="sqlite:///:memory:")

# The sockets of broken responses are left to the garbage collector by http.client and urllib3.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Exception ignored in. <socket:pytest.PytestUnraisableExceptionWarning"
)


def _odd(wire: Wire) -> list[Odd]:
    """One of each sort: the translation itself meets all of them in ``test_outages``."""
    chosen = {"page-html-200", "empty-page-200", "page-text-503", "object-200", "foreign-200"}
    return [odd for odd in (*pages(), *shapes(wire)) if odd.name in chosen]


def _client(service: str) -> Any:
    return moto_client(service)


@pytest.mark.parametrize(
    ("service", "wire"),
    [
        ("kinesis", Wire.JSON),
        ("dynamodb", Wire.JSON),
        ("sqs", Wire.JSON),
        ("sns", Wire.QUERY),
        ("s3", Wire.XML),
        ("ses", Wire.QUERY),
    ],
)
def test_provisioning_takes_no_page_for_a_resource(server: HostileServer, service: str, wire: Wire) -> None:
    """Neither a traceback nor a stream, queue or sender that is thought to be there."""
    wrong: list[str] = []
    with mock_aws(), Clients(server.url) as clients:
        made = {name: _client(name) for name in ("kinesis", "dynamodb", "sqs", "sns", "s3", "ses")}
        provision(SETTINGS, 1, made.__getitem__)
        made[service] = clients.aws(service)
        for odd in _odd(wire):

            def said(_: Call, odd: Odd = odd) -> Odd:
                return odd

            server.say(said)
            try:
                provision(SETTINGS, 1, made.__getitem__)
            except ProvisionError:
                continue
            except Exception as error:  # noqa: BLE001 - a traceback, to whoever runs the command
                wrong.append(f"{odd}: {error!r}")
            else:
                wrong.append(f"{odd}: taken for done")
    assert wrong == []


def test_an_account_that_cannot_be_had_is_unknown(
    server: HostileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command goes on: it names the account only for whoever reads its errors."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.url)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    for odd in _odd(Wire.QUERY):
        server.say(lambda _, odd=odd: odd)
        assert account().startswith("unknown (")
    body = b"<R><GetCallerIdentityResult><Account>123</Account></GetCallerIdentityResult></R>"
    server.say(lambda _: good(Wire.QUERY, body))
    assert account() == "123"


@pytest.mark.parametrize("operation", SIZING, ids=str)
def test_sizing_says_in_one_sentence_what_a_live_stream_does_not_answer(
    operation: Operation, server: HostileServer
) -> None:
    """No traceback, no figure that is made of a page, and no change that is thought to be done."""
    wrong: list[str] = []
    prompt = [odd for odd in outages(operation.wire) if odd.delivery is not Delivery.SILENT]
    odds = [
        *prompt[:: 1 if "sizing history" in operation.name else 3],
        *members(operation.wire, *operation.members),
    ]
    with Clients(server.url) as clients:
        call = operation.make(clients)
        for odd in odds:
            server.say(operation.respond(odd))
            try:
                result = call()
            except (InputError, CloudWatchSilentError) as error:
                if "\n" in str(error) or not str(error):
                    wrong.append(f"{odd}: says {error!r}")
            except Exception as error:  # noqa: BLE001 - a traceback, to whoever runs the command
                wrong.append(f"{odd}: {error!r}")
            else:
                if odd.name not in operation.fine and not _is_told(operation, odd):
                    wrong.append(f"{odd}: taken for {result!r}")
        server.say(operation.respond(operation.good))
        call()
    assert wrong == []


def _is_told(operation: Operation, odd: Odd) -> bool:
    """Throttled reads are asked again, and counted in the profile."""
    throttled = ("ProvisionedThroughputExceededException", "LimitExceededException")
    return operation.name == "sizing polling" and odd.name.startswith(throttled)


def test_a_subscription_that_gives_a_page_is_no_quiet_shard(server: HostileServer) -> None:
    """A thread that reads a shard tells what it cannot read; nothing ends without a word."""
    (operation,) = (operation for operation in SIZING if operation.name == "sizing registration")
    wrong: list[str] = []
    with Clients(server.url) as clients:
        kinesis = clients.aws("kinesis")
        for odd in [*pages(), *shapes(Wire.JSON)][::4]:

            def respond(call: Call, odd: Odd = odd) -> Odd:
                return (
                    odd if call.operation == "SubscribeToShard" else operation.respond(operation.good)(call)
                )

            server.say(respond)
            looks = iter(range(1_000_000))
            try:
                with FanOut(
                    kinesis, "orders", lambda looks=looks: next(looks) / 2, lambda _: None
                ) as fan_out:
                    found = list(fan_out.read(1))
            except InputError:
                continue
            wrong.append(f"{odd}: {found}")
    assert wrong == []


def test_an_account_whose_room_is_not_told_has_none_known(server: HostileServer) -> None:
    """The plan falls back on the Region's usual quota, and says so."""
    with Clients(server.url) as clients:
        kinesis = clients.aws("kinesis")
        for odd in [*_odd(Wire.JSON), *members(Wire.JSON, "ShardLimit")]:
            server.say(odd)
            assert room_for_shards(kinesis) is None, odd
