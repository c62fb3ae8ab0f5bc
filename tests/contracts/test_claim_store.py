"""The claim: one scheduler on a database, and one that lost its claim writes nothing."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest
from sqlalchemy import Engine, text, update

from orchestrator.exceptions import SchedulerRunningError, StorageUnavailableError
from orchestrator.ports import Group
from orchestrator.storage.database import writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.tables import leases
from tests.contracts.stories import NOW, begin, commit

HOLD = """
import os, sys, time
from orchestrator.storage.database import connect
from orchestrator.storage.history import SqlHistoryStore
store = SqlHistoryStore(connect(sys.argv[1]))
store.claim("doomed:1")
if sys.argv[2] == "fork" and os.fork() == 0:
    os.write(1, b"child %d\\n" % os.getpid())
    time.sleep(60)
os.write(1, b"claimed\\n")
time.sleep(60)
"""


@contextmanager
def another_scheduler(url: str, how: str = "alone") -> Iterator[subprocess.Popen[str]]:
    """A process that holds the claim until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", HOLD, url, how], stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def lines(process: subprocess.Popen[str], count: int) -> list[str]:
    assert process.stdout is not None
    return [process.stdout.readline().strip() for _ in range(count)]


def claim_in_time(store: SqlHistoryStore, seconds: float) -> None:
    """Claim as soon as it can be had; the server may take a moment to notice that a session has ended."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            store.claim("next:2")
        except SchedulerRunningError:
            assert time.monotonic() < deadline
        else:
            return


def let_lease_lapse(engine: Engine) -> None:
    """What the passing of time does to a lease that nobody renews."""
    with writing(engine) as connection:
        connection.execute(update(leases).values(expires_at=NOW))


def test_a_second_scheduler_is_refused_and_told_who_holds_the_database(
    store: SqlHistoryStore, open_engine: Callable[..., Engine]
) -> None:
    second = SqlHistoryStore(open_engine())
    with pytest.raises(SchedulerRunningError, match=r"test:1.*stop it first"):
        second.claim("second:2")
    told = begin(store)
    assert commit(store, told) == frozenset()


def test_a_released_claim_can_be_had_at_once(engine: Engine, open_engine: Callable[..., Engine]) -> None:
    first, second = SqlHistoryStore(engine), SqlHistoryStore(open_engine())
    first.claim("first:1")
    first.release()
    second.claim("second:2")
    with pytest.raises(SchedulerRunningError, match="claim"):
        commit(first, begin(first))
    second.release()


def test_the_holder_may_claim_again(store: SqlHistoryStore) -> None:
    store.claim("test:1")
    assert commit(store, begin(store)) == frozenset()


def test_the_claim_of_a_killed_scheduler_is_free(url: str, open_engine: Callable[..., Engine]) -> None:
    store = SqlHistoryStore(open_engine())
    with another_scheduler(url) as process:
        assert lines(process, 1) == ["claimed"]
        with pytest.raises(SchedulerRunningError, match="doomed:1"):
            store.claim("next:2")
        process.send_signal(signal.SIGKILL)
        process.wait()
        claim_in_time(store, seconds=10)
    assert commit(store, begin(store)) == frozenset()
    store.release()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_child_that_a_killed_scheduler_forked_does_not_hold_its_claim(
    url: str, open_engine: Callable[..., Engine]
) -> None:
    store = SqlHistoryStore(open_engine())
    with another_scheduler(url, "fork") as process:
        said = lines(process, 2)
        child = next(int(line.split()[1]) for line in said if line.startswith("child"))
        try:
            process.send_signal(signal.SIGKILL)
            process.wait()
            store.claim("next:2")
            store.release()
        finally:
            os.kill(child, signal.SIGKILL)


def test_a_scheduler_that_lost_its_claim_writes_nothing_more(
    store: SqlHistoryStore, engine: Engine, open_engine: Callable[..., Engine]
) -> None:
    told = begin(store)
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(update(leases).values(epoch=leases.c.epoch + 1, owner="other:2"))
    with pytest.raises(SchedulerRunningError, match="other:2"):
        commit(store, told.works("extract"))
    with pytest.raises(SchedulerRunningError, match="other:2"):
        store.renew()
    with pytest.raises(SchedulerRunningError, match="other:2"):
        store.commit(Group(at=NOW))
    assert len(store.read(told.run_key)) == 1


@pytest.mark.parametrize("url", ["postgresql"], indirect=True)
@pytest.mark.postgres
def test_a_scheduler_that_hangs_is_superseded_when_its_lease_runs_out(
    store: SqlHistoryStore, engine: Engine, open_engine: Callable[..., Engine]
) -> None:
    second, third = SqlHistoryStore(open_engine()), SqlHistoryStore(open_engine())
    let_lease_lapse(engine)
    second.claim("second:2")
    with pytest.raises(SchedulerRunningError, match="second:2"):
        store.renew()
    with pytest.raises(SchedulerRunningError, match="second:2"):
        third.claim("third:3")
    store.release()
    with pytest.raises(SchedulerRunningError, match="second:2"):
        third.claim("third:3")
    second.release()


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_scheduler_that_hangs_keeps_its_sqlite_file(
    store: SqlHistoryStore, engine: Engine, open_engine: Callable[..., Engine]
) -> None:
    let_lease_lapse(engine)
    with pytest.raises(SchedulerRunningError, match="test:1"):
        SqlHistoryStore(open_engine()).claim("second:2")
    store.renew()
    assert commit(store, begin(store)) == frozenset()


def test_a_renewed_lease_is_alive_and_a_released_one_is_not(
    store: SqlHistoryStore, engine: Engine, reads: Reads
) -> None:
    let_lease_lapse(engine)
    assert scheduler(reads) == ("test:1", False)
    store.renew()
    assert scheduler(reads) == ("test:1", True)
    store.release()
    assert scheduler(reads) == ("test:1", False)


def scheduler(reads: Reads) -> tuple[str, bool]:
    """Who holds, or last held, the claim, and whether it is alive by this machine's clock."""
    row = reads.scheduler()
    assert row is not None
    return row.owner, row.is_alive(datetime.now(UTC))


def test_nobody_is_shown_where_no_scheduler_ever_ran(reads: Reads) -> None:
    assert reads.scheduler() is None


@pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
def test_a_holder_that_hangs_in_the_middle_of_a_commit_does_not_keep_its_claim_for_ever(
    engine: Engine, open_engine: Callable[..., Engine]
) -> None:
    first, second = SqlHistoryStore(engine), SqlHistoryStore(open_engine(patience=0.2))
    first.claim("hung:1")
    let_lease_lapse(open_engine())
    with pytest.raises(StorageUnavailableError):
        hang_in_a_commit(engine, lambda: is_claimed(second))
    with pytest.raises(SchedulerRunningError, match="passed to next:2"):
        commit(first, begin(first))
    first.release()
    second.release()


def hang_in_a_commit(engine: Engine, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    with writing(engine) as connection:
        connection.execute(text("SELECT epoch FROM leases FOR SHARE"))
        while not until():
            assert time.monotonic() < deadline


def is_claimed(store: SqlHistoryStore) -> bool:
    try:
        store.claim("next:2")
    except StorageUnavailableError:  # what it needs is locked still
        return False
    return True
