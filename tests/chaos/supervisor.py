"""Runs a pipeline behind the gateway, kills a process in each of its windows, and starts it again."""

import os
import queue
import signal
import time
from collections import defaultdict, deque
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil

from chaos.gateway import Gateway
from chaos.traces import Kill
from chaos.windows import Window
from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.lifecycle import down, up
from orderstream_playground.local.processes import ProcessSpec, RunningProcess, start, stop


class Supervisor:
    """The processes of one environment.

    ::

        armed ──moment──> killed ──ended──> the next window is armed, the process started again

    Args:
        home: Folder of its files.
        options: What shapes it.
        gateway: Stands between our processes and everything else.
        settings: Environment variables that every process of ours gets.
    """

    def __init__(
        self, home: Path, options: EnvironmentOptions, gateway: Gateway, settings: Mapping[str, str]
    ) -> None:
        self.layout = Layout(home, options)
        self.hit: list[Window] = []
        self.kills: list[Kill] = []
        self._gateway = gateway
        self._settings = settings
        self._specs = {spec.name: self._rewire(spec) for spec in self.layout.pipeline()}
        self._running: dict[str, RunningProcess] = {}
        self._restarted: list[RunningProcess] = []
        self._waiting: defaultdict[str, deque[Window]] = defaultdict(deque)
        self._killed: queue.SimpleQueue[tuple[str, Window]] = queue.SimpleQueue()

    def up(self) -> None:
        """Start everything."""
        state = up(self.layout.home, self.layout.options, lambda _: None, rewire=self._rewire)
        self._running = {process.name: process for process in state.processes}

    def arm(self, windows: Sequence[Window]) -> None:
        """Wait for windows: those of one process one after the other, each after the process is back."""
        for window in windows:
            self._waiting[window.process].append(window)
        for process in self._waiting:
            self._arm_next(process)

    def supervise(self) -> None:
        """Start again what was killed, with its next window armed; call it often."""
        while not self._killed.empty():
            name, window = self._killed.get()
            self.hit.append(window)
            ended = self._running[name].handle()
            if ended is not None:
                ended.wait(timeout=10)
            self._arm_next(name)
            self._running[name] = start(self._specs[name], self.layout.logs)
            self._restarted.append(self._running[name])

    def down(self) -> None:
        """End everything, our own processes first."""
        stop(self._restarted)
        down(self.layout.home)

    def _arm_next(self, name: str) -> None:
        if not self._waiting[name]:
            return
        window = self._waiting[name].popleft()
        self._gateway.watch(
            lambda call, reply: call.caller == name and window.moment(call, reply),
            lambda _: self._kill(name, window),
        )

    def _kill(self, name: str, window: Window) -> None:
        """In the gateway's thread, in that very moment."""
        with suppress(ProcessLookupError, psutil.NoSuchProcess):
            os.killpg(self._running[name].pid, signal.SIGKILL)
        self.kills.append(Kill(name, time.time()))
        self._killed.put((name, window))

    def _rewire(self, spec: ProcessSpec) -> ProcessSpec:
        if spec.emulator:
            return spec
        wired = self._gateway.rewire(spec)
        return replace(wired, environment={**wired.environment, **self._settings})
