"""One history from one seed: trouble, then peace in which everything must come out right.

``python -m fakes.engine_world.history 37`` in ``tests`` plays one, and ``... 0 1000`` looks for the first
that breaks a rule and prints its seed.
"""

import logging
import math
import random as global_random
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain

from fakes.engine_world.ledger import BrokenRuleError
from fakes.engine_world.network import Trouble
from fakes.engine_world.stream import StreamTrouble
from fakes.engine_world.world import World

PATIENCE = 200.0
"""Virtual seconds in which peace must have put everything right."""


def play(seed: int) -> None:
    """Play one history and check its rules.

    Raises:
        BrokenRuleError: One is broken; the note tells how to play it again.
    """
    # The engine draws jitter from a module's generator in one place.
    global_random.seed(seed)
    world = World(seed)
    with _quiet():
        try:
            _trouble(world)
            _peace(world)
            _farewell(world)
        except BaseException as error:
            replay = f"python -m fakes.engine_world.history {seed}"
            error.add_note(f"seed {seed}: replay it with `{replay}` in tests/")
            raise
        finally:
            world.scheduler.end()


def _trouble(world: World) -> None:
    """Half a minute in which everything goes wrong."""
    random = world.random
    world.network.trouble = Trouble(
        refused=random.choice((0.0, 0.03, 0.1)),
        lost=random.choice((0.0, 0.03, 0.1)),
        late=random.choice((0.0, 0.02)),
        slow=random.choice((0.0, 0.02, 0.05)),
        dies=random.choice((0.0, 0.0005, 0.002)),
    )
    world.way_to_leases.trouble = world.network.trouble
    world.stream.trouble = StreamTrouble(
        half_listed=random.choice((0.0, 0.5)),
        null_iterator=random.choice((0.0, 0.03)),
        expired=random.choice((0.0, 0.03)),
    )
    trims, deletes, kcl = (random.random() < rate for rate in (0.3, 0.3, 0.2))
    world.handling.pauses = random.choice((0.0, 0.02))
    world.handling.raises = random.choice((0.0, 0.02))
    if random.random() < 0.2:
        _false_start(world)
    for _ in range(random.randint(1, 3)):
        world.start_worker()
    end = random.uniform(15, 35)
    made_anew_at = random.uniform(2, end) if world.made_anew else math.inf
    while world.scheduler.now < end:
        for _ in range(random.randrange(4)):
            world.put()
        _disturb(world)
        if world.scheduler.now >= made_anew_at and not world.ledger.stream_replaced:
            made_anew_at = math.inf
            _make_anew(world)
        if trims and random.random() < 0.1:
            world.trim()
        if deletes and random.random() < 0.1:
            world.delete_lease()
        if kcl and random.random() < 0.1:
            world.leave_behind()
        world.scheduler.run_until(world.scheduler.now + random.uniform(0.1, 2))


def _false_start(world: World) -> None:
    """The first worker dies between its first leases, and the stream changes before the next one begins."""
    first = world.start_worker(last_creation=1)
    world.scheduler.run_until(3)
    first.process.alive = False  # if it has not come so far
    for _ in range(world.random.randint(1, 3)):
        world.put()
        world.stream.reshard()
        world.scheduler.run_until(world.scheduler.now + 1)


def _make_anew(world: World) -> None:
    """Another stream has the name: whoever works notices, whoever begins refuses; then it is adopted."""
    world.make_anew()
    if world.random.random() < 0.5:
        world.scheduler.run_until(world.scheduler.now + world.random.uniform(0, 5))
        world.adopt()


def _disturb(world: World) -> None:
    event = world.random.random()
    working = world.working
    if event < 0.12:
        world.stream.reshard()
    elif event < 0.16 and len(working) > 1:
        world.random.choice(working).process.alive = False
    elif event < 0.22 and len(working) > 1:
        world.random.choice(working).stop()
    elif event < 0.28 and working:
        frozen = world.random.choice(working)
        frozen.process.frozen_until = world.scheduler.now + world.random.uniform(1, 15)
    elif event < 0.36 and len(working) < 4:
        world.start_worker()
    elif event < 0.42:
        world.brown_out()


def _peace(world: World) -> None:
    """All is well: whatever is left to do gets done, what is put now too, and shares even out."""
    world.network.trouble = world.way_to_leases.trouble = Trouble()
    world.network.peaceful = world.way_to_leases.peaceful = True
    world.stream.trouble = StreamTrouble()
    world.handling.pauses = world.handling.raises = 0.0
    world.handling.poison.clear()
    world.poisonous = 0.0
    _adopt_new_stream(world)
    _until(world, lambda: _is_staffed_and_done(world), lambda: f"not done: {world.ledger.outstanding()[:3]}")
    _until(world, lambda: _is_even(world), lambda: f"shares do not even out: {world.ledger.owners()}")
    # By then whatever was late has come, or the lease is lost and taken again.
    world.scheduler.run_until(world.scheduler.now + 1.5 * world.config.failover_time)
    _until(world, lambda: _is_even(world), lambda: f"shares do not even out: {world.ledger.owners()}")
    _demand_no_strays(world)
    if world.in_lanes:
        world.redrive()
    for _ in range(6):
        world.put()
    _until(
        world, lambda: not world.ledger.outstanding(), lambda: f"not done: {world.ledger.outstanding()[:3]}"
    )
    _until(world, lambda: not world.parked_keys(), lambda: "not redriven")
    if not world.stream.distributes_itself:
        world.ledger.check_order()


def _staff(world: World) -> None:
    """Somebody begins if nobody works any more: whoever refuses to, ends, and may have been the last one."""
    if not world.working:
        world.start_worker()


def _is_staffed_and_done(world: World) -> bool:
    """Whether nothing is left to do."""
    _staff(world)
    return not world.ledger.outstanding()


def _adopt_new_stream(world: World) -> None:
    """With the leases of a former stream nobody works for long, nor begins; then the new one is adopted."""
    if not world.ledger.stream_replaced:
        return
    if not world.adopting:
        world.start_worker()
        _until(
            world,
            lambda: not (world.ledger.stream_replaced and world.working),
            lambda: "a worker goes on with another stream",
            60,
        )
    world.adopt()
    _until(world, lambda: not world.ledger.stream_replaced, lambda: "the new stream cannot be adopted", 60)


def _is_even(world: World) -> bool:
    """Every open shard has a lease, every lease a worker, and no worker two more than another.

    A worker that has lost one, and whose call is still under way, has it no longer.
    """
    _staff(world)
    owners = world.ledger.owners()
    held = [{shard.shard_id for shard in worker.worker.progress()} for worker in world.working]
    return (
        {shard.shard_id for shard in world.stream.open_shards} <= owners.keys()
        and sorted(owners) == sorted(chain.from_iterable(held))
        and all(world.ledger.is_believed(shard_id) for shard_id in owners)
        and max(map(len, held)) - min(map(len, held)) <= 1
    )


def _demand_no_strays(world: World) -> None:
    """Of a former stream's leases none is left, however late it came."""
    _until(world, lambda: not world.ledger.strays, lambda: f"left in the table: {world.ledger.strays}")


def _farewell(world: World) -> None:
    """Whoever is told to stop drains, and leaves its leases to others."""
    stopping = [worker for worker in world.workers if worker.alive]
    for worker in stopping:
        worker.stop()
    _until(world, lambda: all(worker.ended for worker in stopping), lambda: "a worker does not drain", 40)
    if any(world.ledger.owners().values()):
        raise BrokenRuleError(f"left behind: {world.ledger.owners()}")


def _until(
    world: World, holds: Callable[[], bool], otherwise: Callable[[], str], patience: float = PATIENCE
) -> None:
    deadline = world.scheduler.now + patience
    while not holds():
        if world.scheduler.now >= deadline:
            raise BrokenRuleError(otherwise())
        world.scheduler.run_until(world.scheduler.now + 0.5)


@contextmanager
def _quiet() -> Iterator[None]:
    """Thousands of failures on purpose need not be written down."""
    logger = logging.getLogger("orderstream_consumer")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        logger.setLevel(before)


def main(arguments: list[str]) -> None:
    """Play the histories of ``first`` up to, without it, ``end``, until one breaks a rule."""
    first = int(arguments[0])
    for seed in range(first, int(arguments[1]) if len(arguments) > 1 else first + 1):
        try:
            play(seed)
        except Exception as error:  # noqa: BLE001 - a defect may break the engine in any way
            sys.exit(f"seed {seed}: {type(error).__name__} {error}")


if __name__ == "__main__":
    main(sys.argv[1:])
