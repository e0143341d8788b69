"""The processes of one environment, and what is done to them."""

import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import msgspec
import psutil

from chaos.adjusting import NAME, AdjustingOperator
from chaos.clients import client_of
from chaos.gateway import Gateway
from chaos.invariants import READERS
from chaos.plan import Event, Trouble
from chaos.progress import Sample, Watcher
from chaos.skew import skewed
from chaos.traces import Kill
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.lifecycle import EnvironmentState
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import ProcessSpec, RunningProcess, start, stop, wait_healthy
from orderstream_playground.local.provision import provision
from orderstream_workers.runtime.isolation import isolated

DRAIN_SECONDS = 30.0
"""Longer than a process may take to end after SIGTERM."""

FIRST_LEASES_SECONDS = 360.0
"""In which a worker has to read a shard. KCL needs a minute, and three after a kill of the one that leads."""

_QUIET = {"ORDERSTREAM_HEALTH_PORT": "0"}


@dataclass(frozen=True, slots=True)
class _Frozen:
    """A process that is asleep, and the owner under whose name it holds its leases."""

    process: RunningProcess
    worker_id: str


class Pipeline:
    """An environment whose own processes reach AWS through the gateway.

    Args:
        home: Folder of its files.
        options: What shapes it.
        gateway: Spoils what our processes ask of AWS. Kinesis and the provider spoil their own responses.
        spared: Processes that reach AWS past the gateway.
    """

    def __init__(
        self, home: Path, options: EnvironmentOptions, gateway: Gateway, spared: frozenset[str] = frozenset()
    ) -> None:
        self.layout = Layout(home, options)
        self.late: list[str] = []
        """Processes that did not drain in time after SIGTERM."""
        self._gateway = gateway
        self._specs: dict[str, ProcessSpec] = {}
        for spec in self.layout.pipeline():
            self._specs[spec.name] = spec if spec.emulator or spec.name in spared else self._rewired(spec)
        self._running: dict[str, RunningProcess] = {}
        self._all: list[RunningProcess] = []
        self.fallen: list[str] = []
        """Processes that have ended by themselves."""
        self.kills: list[Kill] = []
        self.taken_over = 0
        """How many frozen processes woke up after others had taken over every shard of theirs."""
        self._frozen: list[_Frozen] = []
        self._zombies: dict[str, RunningProcess] = {}
        self._http = httpx.Client(timeout=10.0)
        self._kinesis = client_of("kinesis", self.layout.kinesis_url)
        self._dynamodb = client_of("dynamodb", self.layout.aws_url)
        self._skewed: set[str] = set()
        self._demand: dict[str, float] = {}
        self.operator = AdjustingOperator(self._at_the_keyboard(), lambda: sorted(self.stock()))
        self._watcher = Watcher(self._dynamodb, home / "read-model.sqlite", tuple(READERS["orders"]))

    @property
    def names(self) -> list[str]:
        """What can be killed."""
        return sorted(name for name, spec in self._specs.items() if not spec.emulator)

    def up(self) -> None:
        """Start everything, and write it down where a demo looks for it."""
        self.layout.logs.mkdir(parents=True)
        for specs in (self.layout.emulators(ensure_ministack()), tuple(self._specs.values())):
            for spec in specs:
                self._start(spec)
            for spec in specs:
                wait_healthy(self._running[spec.name], spec.start_timeout)
            if specs[0].emulator:
                provision(self.layout)
        self._wait_for_leases()
        state = EnvironmentState(
            options=self.layout.options, processes=tuple(self._running.values()), ready=True
        )
        (self.layout.home / "state.json").write_bytes(msgspec.json.encode(state))
        self._watcher.start()

    def suffer(self, event: Event) -> None:
        """Let one event happen."""
        self.thaw()
        match event.trouble:
            case Trouble.KILL:
                self._kill(event.target)
            case Trouble.FREEZE:
                self._freeze(event.target)
            case Trouble.ROLL:
                for name in self.names:
                    self._roll(name)
            case Trouble.PROVIDER:
                self._provider(event.demand)
            case Trouble.OUTAGE:
                self._gateway.outage(event.target, event.demand["seconds"])
            case Trouble.SKEW:
                self._skew(event.target, event.demand["hours"])
            case Trouble.STOCK:
                self.operator.begin(int(event.demand["units"]), event.demand["place"])
            case Trouble.LEASES:
                self._watcher.forgetting(event.target, partial(self._delete_leases, event.target, 1))
            case _:
                self._reshard(event.trouble)

    def arm(self, kinesis: tuple[Mapping[str, Any], ...]) -> None:
        """Let Kinesis go wrong from now on."""
        self._http.post(f"{self.layout.kinesis_url}/_faults", json=list(kinesis)).raise_for_status()

    def struck(self) -> dict[str, int]:
        """How often which fault has struck, wherever it was injected."""
        kinesis = self._http.get(f"{self.layout.kinesis_url}/_faults").raise_for_status().json()["struck"]
        provider = self._http.get(f"{self.layout.payments_api_url}/_faults").raise_for_status().json()
        counts = {f"kinesis:{name}": count for name, count in kinesis.items()}
        counts |= {f"provider:{name}": count for name, count in provider.items()}
        return dict(sorted((counts | self._gateway.injected).items()))

    def crowding(self) -> list[str]:
        """What the provider says of requests at the same time: a line if there were ever too many."""
        stats = self._http.get(f"{self.layout.payments_api_url}/v1/stats").raise_for_status().json()
        if stats["crowded"]:
            return [f"{stats['crowded']} requests came to the provider while all of its slots were taken"]
        return []

    @property
    def frozen(self) -> bool:
        """Whether any process is still asleep."""
        return bool(self._frozen)

    def thaw(self, *, all_of_them: bool = False) -> None:
        """Wake the frozen processes all of whose shards have another owner: they are zombies now."""
        for asleep in tuple(self._frozen):
            taken_over = not self._owned(asleep.process.name, asleep.worker_id)
            if taken_over or all_of_them:
                self._frozen.remove(asleep)
                self.taken_over += taken_over
                _signal_tree(asleep.process, signal.SIGCONT)

    def peace(self) -> None:
        """End every fault, let the zombies drain, and give each application one process that can be asked."""
        self.operator.rest()
        self._http.delete(f"{self.layout.kinesis_url}/_faults").raise_for_status()
        self._provider({})
        self.thaw(all_of_them=True)
        self._right_clocks(keep="")
        zombies, self._zombies = self._zombies, {}
        for name, zombie in zombies.items():
            self._drain(zombie)
            self._drain(self._running[name])
            self._start(self._specs[name])

    def watched(self) -> Sequence[Sample]:
        """What was seen of the checkpoints while trouble lasted; ends the watching."""
        self._watcher.stop()
        return self._watcher.samples

    def rewind(self) -> None:
        """Let every application read its stream again from TRIM_HORIZON, without any lease."""
        workers = [name for readers in READERS.values() for name in readers]
        for name in workers:
            self._drain(self._running[name])
        for name in workers:
            self._delete_leases(name)
        for name in workers:
            self._start(self._specs[name])

    def stock(self) -> Mapping[str, Mapping[str, int]]:
        """The counters of each SKU that has stock."""
        pages = self._dynamodb.get_paginator("scan").paginate(
            TableName="orderstream-stock", ConsistentRead=True
        )
        return {
            row["pk"]["S"]: {name: int(value["N"]) for name, value in row.items() if "N" in value}
            for page in pages
            for row in page["Items"]
        }

    def memory(self) -> dict[str, int]:
        """Resident memory of each of our processes that lives, in MiB."""
        found = {}
        for name in self.names:
            handle = self._running[name].handle()
            if handle is not None:
                found[name] = handle.memory_info().rss >> 20
        return found

    def down(self) -> None:
        """End everything, our own processes first."""
        self.thaw(all_of_them=True)
        self._watcher.stop()
        for client in (self._http, self._kinesis, self._dynamodb):
            client.close()
        self.late += stop([process for process in self._all if not process.emulator])
        stop([process for process in self._all if process.emulator])
        (self.layout.home / "state.json").unlink(missing_ok=True)

    def _wait_for_leases(self) -> None:
        """Let orders and trouble begin once everything works: KCL needs most of a minute for that."""
        deadline = time.monotonic() + FIRST_LEASES_SECONDS
        idle = {name for name, process in self._running.items() if b'"shards"' in (process.health() or b"")}
        while idle:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no shard is being read by {', '.join(sorted(idle))}")
            time.sleep(0.5)
            idle = {
                name for name in idle if not json.loads(self._running[name].health() or "{}").get("shards")
            }

    def _wait_for_leases_of(self, process: RunningProcess) -> str:
        """The owner that stands in a worker's leases, once it has some."""
        deadline = time.monotonic() + FIRST_LEASES_SECONDS
        while time.monotonic() < deadline:
            told = json.loads(process.report() or b"{}")
            if told.get("shards") and self._owned(process.name, told["worker_id"]):
                return str(told["worker_id"])
            time.sleep(0.2)
        raise TimeoutError(f"{process.name} holds no lease")

    def _owned(self, application: str, worker_id: str) -> int:
        """How many shards an owner holds that have not ended."""
        table = f"orderstream-{application}-consumer"
        leases = self._dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        return sum(
            lease.get("leaseOwner", {}).get("S") == worker_id and lease["checkpoint"]["S"] != "SHARD_END"
            for lease in leases
            if "leaseCounter" in lease
        )

    def _at_the_keyboard(self) -> Mapping[str, str]:
        """The variables of an operator's commands, which reach AWS through the gateway as all others do."""
        named = {**self.layout.environment, "AWS_ACCESS_KEY_ID": NAME}
        nothing = ProcessSpec(NAME, (), 0, "", named)
        return isolated(os.environ, self._gateway.rewire(nothing).environment)

    def _rewired(self, spec: ProcessSpec) -> ProcessSpec:
        """Everything passes the gateway, but for Kinesis on KCL: its daemon speaks HTTP/2."""
        wired = self._gateway.rewire(spec)
        if self.layout.options.engine != "kcl":
            return wired
        return replace(
            wired, environment={**wired.environment, "AWS_ENDPOINT_URL_KINESIS": self.layout.kinesis_url}
        )

    def _start(self, spec: ProcessSpec, extra: Mapping[str, str] | None = None) -> None:
        process = start(replace(spec, environment={**spec.environment, **(extra or {})}), self.layout.logs)
        self._running[spec.name] = process
        self._all.append(process)

    def _kill(self, name: str) -> None:
        handle = self._running[name].handle()
        if handle is None:
            self.fallen.append(name)
        else:
            handle.kill()
            self.kills.append(Kill(name, time.time()))
            handle.wait(timeout=10)
        self._replace(name)

    def _freeze(self, name: str) -> None:
        process = self._running[name]
        worker_id = self._wait_for_leases_of(process)
        _signal_tree(process, signal.SIGSTOP)
        self._frozen.append(_Frozen(process, worker_id))
        # A frozen process keeps its port: the one in its place serves no health.
        self._zombies.setdefault(name, process)
        self._replace(name)

    def _roll(self, name: str) -> None:
        if self._running[name].handle() is None:
            self.fallen.append(name)
        self._drain(self._running[name])
        self._replace(name)

    def _skew(self, name: str, hours: float) -> None:
        """Restart a process on a host whose clock is wrong; the one that was there before is right again."""
        self._right_clocks(keep=name)
        self._skewed.add(name)
        self._drain(self._running[name])
        self._replace(name, hours)

    def _right_clocks(self, keep: str) -> None:
        for name in sorted(self._skewed - {keep}):
            self._roll(name)

    def _delete_leases(self, application: str, most: int | None = None) -> None:
        """Delete leases, the newest shard's first; rows of other kinds stay.

        KCL makes no lease anew while that of an ancestor stands, so there the ancestors' are deleted, too.

        Args:
            application: Whose.
            most: How many; None for all.
        """
        table = f"orderstream-{application}-consumer"
        items = self._dynamodb.scan(TableName=table, ConsistentRead=True)["Items"]
        parents = {
            item["leaseKey"]["S"]: item.get("parentShardId", {}).get("SS", [])
            for item in items
            if "leaseCounter" in item
        }
        doomed = sorted(parents, reverse=True)[:most]
        if self.layout.options.engine == "kcl":
            for key in doomed:  # it grows meanwhile, an ancestor after its descendant
                doomed += [parent for parent in parents[key] if parent in parents and parent not in doomed]
        for key in doomed:
            self._dynamodb.delete_item(TableName=table, Key={"leaseKey": {"S": key}})

    def _drain(self, process: RunningProcess) -> None:
        self.late += stop([process], DRAIN_SECONDS)

    def _replace(self, name: str, hours: float = 0.0) -> None:
        """Start another; without health while a zombie of its name keeps the port."""
        if not hours:
            self._skewed.discard(name)
        spec = skewed(self._specs[name], hours) if hours else self._specs[name]
        self._start(spec, _QUIET if name in self._zombies else None)

    def _provider(self, demand: Mapping[str, float]) -> None:
        """Arm the provider's faults: an outage leaves armed what is counted out, an empty demand ends all."""
        self._demand = {**self._demand, **demand} if demand else {}
        url = f"{self.layout.payments_api_url}/_faults"
        self._http.post(url, json=self._demand).raise_for_status()

    def _reshard(self, trouble: Trouble) -> None:
        shards = self._kinesis.list_shards(StreamName="orders", ShardFilter={"Type": "AT_LATEST"})["Shards"]
        shards.sort(key=lambda shard: int(shard["HashKeyRange"]["StartingHashKey"]))
        match trouble:
            case Trouble.SPLIT:
                ends = shards[0]["HashKeyRange"]
                middle = (int(ends["StartingHashKey"]) + int(ends["EndingHashKey"])) // 2
                self._kinesis.split_shard(
                    StreamName="orders", ShardToSplit=shards[0]["ShardId"], NewStartingHashKey=str(middle)
                )
            case Trouble.MERGE:
                self._kinesis.merge_shards(
                    StreamName="orders",
                    ShardToMerge=shards[-2]["ShardId"],
                    AdjacentShardToMerge=shards[-1]["ShardId"],
                )
            case _:
                target = len(shards) * 2 if trouble is Trouble.DOUBLE else -(-len(shards) // 2)
                self._kinesis.update_shard_count(
                    StreamName="orders", TargetShardCount=target, ScalingType="UNIFORM_SCALING"
                )


def _signal_tree(process: RunningProcess, number: signal.Signals) -> None:
    """Signal a process and what it has started: KCL's daemon is to freeze with its child."""
    handle = process.handle()
    if handle is None:
        return
    with suppress(psutil.NoSuchProcess, ProcessLookupError):  # it was killed in the meantime
        for each in (handle, *handle.children(recursive=True)):
            os.kill(each.pid, number)
