"""Each role allows what runs of the pipeline were seen to need, and nothing that they did not need."""

from collections.abc import Iterator, Mapping

import pytest

from orderstream_workers.runtime.discovery import topology
from orderstream_workers.runtime.settings import Settings
from orderstream_workers.runtime.topology import StreamApplication
from rights.policy import Decision, Policy, Request, decide
from rights.reasons import NOT_RECORDED, kind_of
from rights.recorded import Seen, seen, seen_on_kcl
from rights.roles import role_of_all, roles, without, without_role

ROLES = roles()
SEEN = tuple(seen())
APPLICATIONS = {
    process.name for process in topology(Settings()).processes if isinstance(process, StreamApplication)
}

Grant = tuple[str, str, str]
"""A process, an action and a resource."""


def granted(roles: Mapping[str, Policy] = ROLES) -> Iterator[Grant]:
    """Every action on every resource that a role names, but for the key's: no emulator asks for these."""
    for process, policy in roles.items():
        for statement in policy:
            for action in statement.actions:
                if not action.startswith("kms:"):
                    yield from ((process, action, resource) for resource in statement.resources)


def needed_by(process: str) -> list[Seen]:
    return [one for one in SEEN if one.caller == process]


def calls_of_processes() -> list[Seen]:
    return [one for one in SEEN if one.caller in ROLES]


def refused(policy: Policy, calls: list[Seen]) -> list[Request]:
    return [one.request for one in calls if decide(policy, one.request) is not Decision.ALLOWED]


def unneeded(process: str, action: str, resource: str) -> bool:
    """Whether a role does as well without: nothing that was recorded is refused then."""
    return not refused(without(ROLES[process], action, resource), needed_by(process))


@pytest.fixture(scope="module")
def spare() -> list[Grant]:
    """What each role could do without, by what was recorded."""
    return [grant for grant in granted() if unneeded(*grant)]


def test_every_process_is_recorded() -> None:
    """A process that no run has recorded would have its rights by hearsay."""
    names = {process.name for process in topology(Settings()).processes}
    assert names - {one.caller for one in SEEN} == set()


@pytest.mark.parametrize("process", sorted(ROLES))
def test_nothing_is_missing(process: str) -> None:
    """A role allows every call that its process was seen to make."""
    assert refused(ROLES[process], needed_by(process)) == []


def test_each_removed_right_is_missed(spare: list[Grant]) -> None:
    """Without any one right, a recorded call is refused; but for the rights that have a reason."""
    assert [grant for grant in spare if (grant[1], kind_of(grant[2])) not in NOT_RECORDED] == []


def test_each_reason_still_holds(spare: list[Grant]) -> None:
    """A reason for what is recorded by now, or granted to nobody, is outdated; and there are few of them."""
    assert set(NOT_RECORDED) <= {(action, kind_of(resource)) for _, action, resource in spare}
    assert len(NOT_RECORDED) <= 15


@pytest.mark.parametrize("process", sorted(APPLICATIONS))
def test_on_kcl_a_role_lacks_kcls_own_tables_and_nothing_else(process: str) -> None:
    """Who deploys Amazon's KCL grants two tables and an index more: a run on it has asked for no other."""
    leases = f"arn:aws:dynamodb:us-east-1:000000000000:table/orderstream-{process}-consumer"
    asked_for = [one for one in seen_on_kcl() if one.caller == process]
    assert {request.resource for request in refused(ROLES[process], asked_for)} == {
        f"{leases}-CoordinatorState",
        f"{leases}-WorkerMetricStats",
        f"{leases}/index/LeaseOwnerToLeaseKeyIndex",
    }


def test_a_widened_role_is_found() -> None:
    """A right that nothing needs is spare, were it planted."""
    scan = "dynamodb:Scan", "arn:aws:dynamodb:us-east-1:000000000000:table/orderstream-stock"
    saga = ROLES["saga"]
    assert not refused(saga, needed_by("saga"))
    assert refused(saga, [Seen("planted", "saga", Request(*scan))]) == [Request(*scan)]
    (first, *_) = saga
    wider = (*saga, type(first)(True, (scan[0],), (scan[1],)))
    assert not refused(without(wider, *scan), needed_by("saga"))


def test_a_role_is_of_one_process_alone() -> None:
    """No process could work with the role of another."""
    for process in ROLES:
        for other in ROLES.keys() - {process}:
            assert refused(ROLES[other], needed_by(process)), (process, other)


def test_the_role_of_all_is_their_union() -> None:
    """In the size ``small`` one task has one role: what the roles allow together, and not a right more."""
    together = {(action, resource) for _, action, resource in granted({"small": role_of_all()})}
    assert together == {(action, resource) for _, action, resource in granted()}


def test_nothing_is_missing_in_the_role_of_all() -> None:
    """It allows every call that any process was seen to make."""
    assert refused(role_of_all(), calls_of_processes()) == []


def test_each_right_that_is_removed_from_the_role_of_all_is_missed() -> None:
    """Without any one right, a recorded call of some process is refused; but for those with a reason."""
    whole, calls = role_of_all(), calls_of_processes()
    spared = [
        (action, resource)
        for _, action, resource in granted({"small": whole})
        if not refused(without(whole, action, resource), calls)
    ]
    assert [each for each in spared if (each[0], kind_of(each[1])) not in NOT_RECORDED] == []


def test_who_has_no_role_is_not_deployed() -> None:
    """Processes without a role are exactly those that wait for the read model."""
    assert without_role() <= {"api", "order-status"}
