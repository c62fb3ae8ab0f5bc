"""Signs of life: which parts of a home work, as they say themselves."""

from datetime import timedelta

from sqlalchemy import Engine

from orchestrator.assembly.vitals import Vitals
from orchestrator.storage.database import writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.signs import EVERY, MISSED, Role, Sign, give
from tests.contracts.conftest import NOW, StoppedClock


def sign(role: Role, pid: int, **facts: object) -> Sign:
    return Sign(role=role, host="here", pid=pid, started_at=NOW, facts=facts)


def test_a_part_that_shows_itself_is_alive_until_it_has_not_for_a_while(engine: Engine, reads: Reads) -> None:
    for later, processes in ((timedelta(0), 2), (EVERY, 3)):
        with writing(engine) as connection:
            give(connection, [sign(Role.EXECUTOR, 7, processes=processes)], NOW + later)
    (part,) = reads.parts()
    assert (part.facts, part.started_at, part.seen_at) == ({"processes": 3}, NOW, NOW + EVERY)
    assert part.is_alive(NOW + EVERY + MISSED - timedelta(seconds=1))
    assert not part.is_alive(NOW + EVERY + MISSED)


def test_parts_that_gave_no_sign_for_a_day_are_forgotten(engine: Engine, reads: Reads) -> None:
    for pid, later in ((1, timedelta(0)), (2, timedelta(hours=12)), (3, timedelta(hours=25))):
        with writing(engine) as connection:
            give(connection, [sign(Role.DAG_PROCESSOR, pid)], NOW + later)
    assert [part.pid for part in reads.parts()] == [3, 2]


def test_a_scheduler_shows_itself_as_it_renews_its_claim(engine: Engine, reads: Reads, clock: StoppedClock) -> None:
    vitals = Vitals(clock, {Role.SCHEDULER: dict, Role.TRIGGERER: lambda: {"triggers": 5}})
    store = SqlHistoryStore(engine, vitals.signs)
    store.claim("here:1")
    vitals.turned(timedelta(milliseconds=12))
    vitals.turned(timedelta(milliseconds=3))
    store.renew()
    found = {part.role: part.facts for part in reads.parts()}
    assert found == {Role.SCHEDULER: {"slowest_turn_ms": 12.0}, Role.TRIGGERER: {"triggers": 5}}
    store.release()


def test_signs_are_given_now_and_then_and_not_with_each_renewal(clock: StoppedClock) -> None:
    vitals = Vitals(clock, {Role.SCHEDULER: dict})
    assert len(vitals.signs()) == 1
    clock.advance(EVERY - timedelta(seconds=1))
    assert vitals.signs() == ()
    clock.advance(timedelta(seconds=1))
    assert len(vitals.signs()) == 1
    clock.advance(timedelta(days=-1))
    assert len(vitals.signs()) == 1
