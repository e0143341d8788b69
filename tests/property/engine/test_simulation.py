"""Several workers, one stream, every kind of trouble, from one seed."""

import pytest

from fakes.engine_simulation import World


@pytest.mark.parametrize("seed", range(40))
def test_nothing_is_lost_or_out_of_order(seed: int) -> None:
    """Each record at least once; first occurrences per key in order; no checkpoint ahead of what is undone.

    While workers are killed, frozen, stopped and started, shards split and merge, and calls fail or lose
    their answers. Afterwards, in peace, everything is delivered, the shards are shared evenly, and a drained
    application leaves no lease behind.
    """
    world = World(seed)
    world.trouble_with_kinesis()
    for _ in range(3):
        world.start_worker()
    for _ in range(100):
        for _ in range(world.random.randrange(4)):
            world.put()
        disturb(world)
        world.run_until(world.now + world.random.uniform(0.1, 3))

    world.calm()
    deadline = world.now + 200
    while not world.all_handled() and world.now < deadline:
        world.run_until(world.now + 1)
    assert world.all_handled()
    assert world.first_occurrences() == world.puts

    world.run_until(world.now + 40)  # whoever is frozen wakes up, and shares even out
    survivors = [worker for worker in world.workers if worker.alive]
    held = [len(worker.hosts) for worker in survivors if not worker.stopping]
    leases = [lease for lease in world.table.list_leases() if not lease.has_ended]
    assert sum(held) == len(leases)
    assert max(held) - min(held) <= 1
    for worker in survivors:
        world.stop_worker(worker)
    world.run_until(world.now + 40)
    assert [worker.hosts for worker in survivors] == [{}] * len(survivors)
    leases = [lease for lease in world.table.list_leases() if not lease.has_ended]
    assert {lease.lease_owner for lease in leases} == {None}


def disturb(world: World) -> None:
    event = world.random.random()
    alive = [worker for worker in world.workers if worker.alive and not worker.stopping]
    if event < 0.12:
        world.reshard()
    elif event < 0.16 and len(alive) > 1:
        world.random.choice(alive).alive = False
    elif event < 0.22 and len(alive) > 1:
        world.stop_worker(world.random.choice(alive))
    elif event < 0.28:
        world.random.choice(alive).frozen_until = world.now + world.random.uniform(1, 20)
    elif event < 0.34:
        world.start_worker()
