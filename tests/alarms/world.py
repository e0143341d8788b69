"""A local environment behind the gateway, orders that flow into it, and the alarms that watch it."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import msgspec

from alarms.flow import OrderFlow
from alarms.mutants import mutants_of
from chaos.clients import client_of
from chaos.gateway import Gateway
from e2e.running import free_base_port
from orderstream_consumer.store import DynamoDBStore
from orderstream_playground.local.alarms.board import Board
from orderstream_playground.local.alarms.logs import LogFollower
from orderstream_playground.local.alarms.samples import Samples
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.lifecycle import down, read_state, up
from orderstream_playground.local.processes import ProcessSpec, RunningProcess, start, stop
from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.topology.alarms import alarms

MINUTE: Final = 6.0
"""Seconds that a minute of metrics and alarms lasts: a tenth.

What happens within a period counts ten times, then. Were it more, the one payment that a busy machine lets
time out would be more than ten.
"""

_LOOK_EVERY: Final = 0.5


class World:
    """One environment, from its start to its end; used by one thread.

    Args:
        layout: Where everything of it is.
        gateway: Stands between our processes and what they work with.
        specs: What each process of ours is started with.
    """

    def __init__(self, layout: Layout, gateway: Gateway, specs: dict[str, ProcessSpec]) -> None:
        self.layout = layout
        self.gateway = gateway
        self.http = httpx.Client(timeout=10.0)
        self.kinesis = client_of("kinesis", layout.kinesis_url)
        self.dynamodb = client_of("dynamodb", layout.aws_url)
        self.sqs = client_of("sqs", layout.aws_url)
        self.store = DynamoDBStore(self.dynamodb, layout.settings.table_prefix)
        self.flow = OrderFlow(layout, self.store)
        self.specs = specs
        self.topology = topology(layout.settings)
        specs_of_alarms = alarms(self.topology)
        self.mutants = tuple(mutants_of(specs_of_alarms))
        self.minute = layout.options.metrics_seconds
        """Seconds that a minute lasts."""
        self._board = Board(specs_of_alarms, layout.settings, self.minute)
        self._planted = Board([mutant.spec for mutant in self.mutants], layout.settings, self.minute)
        self.rang: set[str] = set()
        """The alarms that have rung since it was last emptied."""
        self.planted: set[str] = set()
        """The mutants that have."""
        self._samples, self._follower = Samples(keeps=1_200.0), LogFollower(layout.logs)

    @property
    def names(self) -> list[str]:
        """Our own processes."""
        return [name for name, spec in self.specs.items() if not spec.emulator]

    def look(self) -> frozenset[str]:
        """Evaluate the alarms, as often as minutes have ended since the last look.

        Returns:
            Those that are in ALARM now.
        """
        self._follower.feed(self._samples)
        now = time.time()
        self.rang |= self._board.advance(self._samples, now)
        self.planted |= self._planted.advance(self._samples, now)
        return self._board.ringing()

    def watch(self, seconds: float, until: Callable[[frozenset[str]], bool]) -> None:
        """Look at the alarms for a while.

        Args:
            seconds: For how long at most.
            until: Ends it; gets all that have rung since ``rang`` was last emptied.
        """
        deadline = time.monotonic() + seconds
        self.look()
        while time.monotonic() < deadline and not until(frozenset(self.rang)):
            time.sleep(_LOOK_EVERY)
            self.look()

    def watch_until_quiet(self, seconds: float, minutes: int) -> frozenset[str]:
        """Look at the alarms until none has been in ALARM for some minutes.

        Args:
            seconds: For how long at most.
            minutes: How many; an application that comes back is healthy before it says that it is behind.

        Returns:
            Those that are in ALARM still.
        """
        deadline = time.monotonic() + seconds
        quiet_since = time.monotonic()
        while (ringing := self.look()) or time.monotonic() - quiet_since < minutes * self.minute:
            if ringing:
                quiet_since = time.monotonic()
            if time.monotonic() > deadline:
                break
            time.sleep(_LOOK_EVERY)
        return ringing

    def process(self, name: str) -> RunningProcess:
        """A process as it was last started."""
        state = read_state(self.layout.home)
        assert state is not None
        (found,) = (process for process in state.processes if process.name == name)
        return found

    def end(self, *names: str, grace: float = 30.0) -> None:
        """Stop processes: they drain, unless the grace is 0."""
        stop([self.process(name) for name in names], grace)

    def begin(self, *names: str) -> None:
        """Start processes again that have ended."""
        state = read_state(self.layout.home)
        assert state is not None
        fresh = {name: start(self.specs[name], self.layout.logs) for name in names}
        processes = tuple(fresh.get(process.name, process) for process in state.processes)
        state = msgspec.structs.replace(state, processes=processes)
        (self.layout.home / "state.json").write_bytes(msgspec.json.encode(state))

    def kinesis_faults(self, *faults: dict[str, Any]) -> None:
        """Let Kinesis go wrong from now on; none ends it."""
        url = f"{self.layout.kinesis_url}/_faults"
        (self.http.post(url, json=list(faults)) if faults else self.http.delete(url)).raise_for_status()

    def provider(self, **demand: float) -> None:
        """Let the payment provider go wrong from now on; nothing ends it."""
        self.http.post(f"{self.layout.payments_api_url}/_faults", json=demand).raise_for_status()

    def close(self) -> None:
        """End everything that is not a process."""
        self.flow.stop()
        self.http.close()
        for client in (self.kinesis, self.dynamodb, self.sqs):
            client.close()


@contextmanager
def running(home: Path, *, minute: float = MINUTE, seed: int = 1) -> Iterator[World]:
    """A world that is up while the body runs; no order flows yet.

    Args:
        home: Folder of the environment's files.
        minute: Seconds that a minute lasts.
        seed: Of the provider's declined cards.
    """
    options = EnvironmentOptions(base_port=free_base_port(), metrics_seconds=minute, shards=2, seed=seed)
    with ExitStack() as ending:
        gateway = ending.enter_context(Gateway(seed))
        specs: dict[str, ProcessSpec] = {}

        def rewired(spec: ProcessSpec) -> ProcessSpec:
            specs[spec.name] = gateway.rewire(spec)
            return specs[spec.name]

        up(home, options, lambda _: None, rewire=rewired)
        ending.callback(down, home)
        world = World(Layout(home, options), gateway, specs)
        ending.callback(world.close)
        yield world
