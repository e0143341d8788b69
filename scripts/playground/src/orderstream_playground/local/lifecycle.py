"""Starts and stops a local environment, and reports its state.

What runs is written to ``state.json`` in the environment's folder after each start: a later command
(``local down``, a demo, a person after a crash) finds every process that may still be there.
"""

import fcntl
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec

from orderstream_playground.local.environment import EnvironmentOptions, Layout
from orderstream_playground.local.errors import LocalEnvironmentError
from orderstream_playground.local.issuer import LocalIssuer
from orderstream_playground.local.ministack import ensure_ministack
from orderstream_playground.local.processes import (
    ProcessSpec,
    RunningProcess,
    check_ports,
    start,
    stop,
    wait_healthy,
)
from orderstream_playground.local.provision import provision

Progress = Callable[[str], None]
"""Called with each step, in a few words."""

_STATE: Final = "state.json"

_FORGETFUL: Final = ("aws", "kinesis")
"""What is in them is in memory."""


class EnvironmentState(msgspec.Struct, frozen=True, kw_only=True):
    """What is written down of an environment.

    Attributes:
        options: What shapes it.
        environment: The variables that point a process at it: what operators' commands read.
        processes: Every process that was started, emulators first.
        ready: True once all of them were healthy.
    """

    options: EnvironmentOptions
    environment: dict[str, str] = {}
    processes: tuple[RunningProcess, ...] = ()
    ready: bool = False


def read_state(home: Path) -> EnvironmentState | None:
    """What is written down of the environment in a folder, or None."""
    file = home / _STATE
    if not file.exists():
        return None
    try:
        return msgspec.json.decode(file.read_bytes(), type=EnvironmentState)
    except msgspec.DecodeError as error:
        raise LocalEnvironmentError(f"{file} cannot be read ({error}); delete the folder {home}") from error


def is_up(state: EnvironmentState | None) -> bool:
    """True if the environment was ready once and all of its processes live."""
    return state is not None and state.ready and all(process.handle() for process in state.processes)


def up(
    home: Path,
    options: EnvironmentOptions,
    progress: Progress,
    *,
    rewire: Callable[[ProcessSpec], ProcessSpec] = lambda spec: spec,
) -> EnvironmentState:
    """Start a fresh environment. What starts and then fails is stopped again.

    Args:
        home: Folder of its files; what an earlier environment left there is removed.
        options: What shapes it.
        progress: Called with each step.
        rewire: Changes what a process of the pipeline is started with, such as where it finds AWS.

    Raises:
        LocalEnvironmentError: one is up already, a port is taken, or something does not start.
    """
    home.mkdir(parents=True, exist_ok=True)
    with _locked(home):
        earlier = read_state(home)
        if earlier is not None and any(process.handle() for process in earlier.processes):
            raise LocalEnvironmentError(
                f"an environment is running already, its files are in {home}; "
                "start what has ended of it with `orderstream local start`, stop it with `orderstream local "
                "down`, or choose another folder with --home"
            )
        set_aside(home)
        layout = Layout(home, options)
        layout.logs.mkdir()
        LocalIssuer.of(home)
        progress("installing the emulator of AWS, if it is not there yet")
        emulators, pipeline = layout.emulators(ensure_ministack()), layout.pipeline()
        check_ports((*emulators, *pipeline))
        pipeline = tuple(rewire(spec) for spec in pipeline)
        _write(home, EnvironmentState(options=options, environment=layout.environment))
        try:
            progress("starting Kinesis, AWS and the payment provider")
            _start_all(layout, emulators)
            progress("creating the streams, tables, queues and buckets")
            provision(layout)
            progress("starting the orders API and the workers")
            _start_all(layout, pipeline)
        except BaseException:
            down(home)
            raise
        state = read_state(home)
        assert state is not None
        state = msgspec.structs.replace(state, ready=True)
        _write(home, state)
        return state


def down(home: Path) -> list[str]:
    """Stop an environment: first our own processes, which drain, then what they work with.

    Returns:
        The names of the processes that had to be killed.

    Raises:
        LocalEnvironmentError: there is none.
    """
    state = read_state(home)
    if state is None:
        raise LocalEnvironmentError(f"no environment in {home}; start one with `orderstream local up`")
    killed = stop([process for process in state.processes if not process.emulator])
    killed += stop([process for process in state.processes if process.emulator])
    (home / _STATE).unlink()
    return killed


def start_again(home: Path, names: Collection[str] = ()) -> list[str]:
    """Start what has ended, with what it was started with before; the rest of the environment goes on.

    Args:
        home: Folder of the environment's files.
        names: What to start; empty for all that has ended.

    Returns:
        What was started, once it is healthy.

    Raises:
        LocalEnvironmentError: there is no environment, a process is not one of its own, still runs, or has
            lost the state that all processes use.
    """
    with _locked(home):
        state = read_state(home)
        if state is None:
            raise LocalEnvironmentError(f"no environment in {home}; start one with `orderstream local up`")
        processes = {process.name: process for process in state.processes}
        if unknown := sorted(set(names) - set(processes)):
            raise LocalEnvironmentError(
                f"the environment in {home} has no {', '.join(unknown)}; it has {', '.join(processes)}"
            )
        ended = [name for name, process in processes.items() if process.handle() is None]
        if running := sorted(set(names) - set(ended)):
            raise LocalEnvironmentError(f"{', '.join(running)} did not end, so there is nothing to start")
        wanted = [name for name in ended if name in (names or ended)]
        if forgot := sorted(set(wanted) & set(_FORGETFUL)):
            raise LocalEnvironmentError(
                f"{' and '.join(forgot)} ended, and with it everything that it held; stop the rest with "
                "`orderstream local down`, then start again"
            )
        layout = Layout(home, state.options)
        LocalIssuer.of(home)
        # The emulator of AWS is not among them, so its interpreter is not needed.
        specs = {spec.name: spec for spec in (*layout.emulators(Path()), *layout.pipeline())}
        for name in wanted:
            processes[name] = start(specs[name], layout.logs)
            _write(home, msgspec.structs.replace(state, processes=tuple(processes.values())))
        for name in wanted:
            wait_healthy(processes[name], specs[name].start_timeout)
        return wanted


def _start_all(layout: Layout, specs: Sequence[ProcessSpec]) -> None:
    started = []
    for spec in specs:
        process = start(spec, layout.logs)
        started.append((spec, process))
        state = read_state(layout.home)
        assert state is not None
        _write(layout.home, msgspec.structs.replace(state, processes=(*state.processes, process)))
    for spec, process in started:
        wait_healthy(process, spec.start_timeout)


def set_aside(home: Path) -> None:
    """Make room for a run: the logs of the last one are kept for diagnosis."""
    logs, before = home / "logs", home / "logs.before"
    if logs.exists():
        shutil.rmtree(before, ignore_errors=True)
        logs.rename(before)
    for pattern in ("*.sqlite", "*.sqlite-*", "stock-bridge.*", _STATE):
        for file in home.glob(pattern):
            file.unlink()


def _write(home: Path, state: EnvironmentState) -> None:
    new = home / f"{_STATE}.new"
    new.write_bytes(msgspec.json.format(msgspec.json.encode(state)))
    new.replace(home / _STATE)


@contextmanager
def _locked(home: Path) -> Iterator[None]:
    with (home / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise LocalEnvironmentError(
                f"another process ({os.fspath(home)}) is starting this environment; wait for it"
            ) from error
        yield
