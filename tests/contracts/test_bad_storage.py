"""Full, locked, read-only, damaged, unreachable: one clear sentence, and nothing recorded is lost."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text, update

from orchestrator.core.requests import CancelRun
from orchestrator.exceptions import SchemaVersionError, StorageCorruptError, StorageUnavailableError
from orchestrator.ports import Group
from orchestrator.storage.database import check, connect, create, reading, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.schema import SchemaState
from orchestrator.storage.tables import history
from tests.contracts.conftest import StoppedClock
from tests.contracts.stories import NOW, begin, commit

on_sqlite = pytest.mark.parametrize("url", ["sqlite"], indirect=True)
on_postgresql = pytest.mark.parametrize("url", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)

# ── a full disk ──────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def limit_pages(engine: Engine) -> Callable[[int], None]:
    """Leaves room for so many more pages: SQLite then says that the disk is full, as it does when it is."""

    def limit(spare: int) -> None:
        with engine.connect() as connection:
            pages = int(connection.execute(text("PRAGMA page_count")).scalar_one())
            connection.execute(text(f"PRAGMA max_page_count = {pages + spare}"))

    return limit


@on_sqlite
def test_a_full_disk_is_named_and_the_group_can_be_committed_once_there_is_room(
    store: SqlHistoryStore, limit_pages: Callable[[int], None]
) -> None:
    kept, large = begin(store), begin(store).works("extract", result=b'"' + b"x" * 6_000_000 + b'"')
    commit(store, kept)
    group = Group(at=NOW, parts=[kept.works("extract").part(), large.part()])
    limit_pages(20)
    with pytest.raises(StorageUnavailableError, match=r"disk.*orchestrator\.db is full; nothing was written"):
        store.commit(group)
    assert len(store.read(kept.run_key)) == 1
    assert store.read(large.run_key) == []
    limit_pages(10_000)
    assert store.commit(group) == frozenset()
    assert len(store.read(kept.run_key)) == 4
    assert len(store.read(large.run_key)) == 4


@on_sqlite
def test_a_full_disk_loses_nothing_that_was_recorded_before(
    store: SqlHistoryStore, limit_pages: Callable[[int], None], url: str
) -> None:
    limit_pages(40)
    committed: list[int] = []

    def fill_the_disk() -> None:
        while True:
            told = begin(store).works("extract", result=b'"' + b"x" * 5_000 + b'"')
            commit(store, told)
            committed.append(told.run_key)

    with pytest.raises(StorageUnavailableError, match="full"):
        fill_the_disk()
    assert committed
    assert check(url, thorough=True) is SchemaState.CURRENT
    assert [len(store.read(run_key)) for run_key in committed] == [4] * len(committed)


# ── a locked database ────────────────────────────────────────────────────────────────────────────────────────


def test_a_locked_database_is_named_and_what_it_kept_from_being_written_can_be_written_later(
    open_engine: Callable[..., Engine], clock: StoppedClock
) -> None:
    impatient = open_engine(patience=0.05)
    store, book = SqlHistoryStore(impatient), RequestBook(impatient, clock)
    store.claim("test:1")
    told = begin(store)
    group = Group(at=NOW, parts=[told.part()])
    with writing(open_engine()) as other:
        if other.dialect.name == "postgresql":
            other.execute(text("LOCK TABLE history, requests, counters"))
        for write in (lambda: store.commit(group), lambda: book.submit(CancelRun(dag_id="d", run_id="r"), "k")):
            with pytest.raises(StorageUnavailableError, match="locked by another process"):
                write()
    assert store.commit(group) == frozenset()
    store.release()


@on_sqlite
def test_readers_go_on_while_somebody_writes(store: SqlHistoryStore, open_engine: Callable[..., Engine]) -> None:
    told = begin(store)
    commit(store, told)
    reads = Reads(open_engine(patience=0.05))
    with writing(open_engine()):
        assert len(reads.history(told.run_key)) == 1


# ── a home that may not be written ───────────────────────────────────────────────────────────────────────────


def as_nobody(script: str, *arguments: str) -> str:
    """What a script prints that runs without the right to write where root (or this user) does."""
    prologue = """
        import os, sys
        from datetime import UTC, datetime
        from orchestrator.clock import SystemClock
        from orchestrator.core.requests import CancelRun
        from orchestrator.exceptions import OrchestratorError
        from orchestrator.storage.database import connect, create
        from orchestrator.storage.history import SqlHistoryStore
        from orchestrator.storage.reads import Reads
        from orchestrator.storage.requests import RequestBook
        import sqlalchemy.dialects.sqlite
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(65534)
            os.setuid(65534)
        try:
            SCRIPT
        except OrchestratorError as error:
            print(type(error).__name__, error)
    """
    code = textwrap.dedent(prologue).replace("SCRIPT", script)
    done = subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def read_only_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a database that others may read and not write; writable again at the end."""
    home = tmp_path_factory.mktemp("home")
    create(f"sqlite:///{home}/orchestrator.db").dispose()
    for folder in home.parents[:3]:
        if folder.owner() == home.owner() and folder != Path(folder.root):
            folder.chmod(folder.stat().st_mode | 0o011)
    (home / "orchestrator.db").chmod(0o444)
    home.chmod(0o555)
    yield home
    home.chmod(0o755)


def test_a_home_that_may_not_be_written_is_named(read_only_home: Path) -> None:
    url = f"sqlite:///{read_only_home}/orchestrator.db"
    for script in (
        "RequestBook(connect(sys.argv[1]), SystemClock()).submit(CancelRun(dag_id='d', run_id='r'), 'k')",
        "SqlHistoryStore(connect(sys.argv[1])).claim('me:1')",
    ):
        said = as_nobody(script, url)
        assert said.startswith("StorageUnavailableError")
        assert str(read_only_home) in said
        assert "read-only for this user" in said
        assert len(said.splitlines()) == 1


def test_a_database_cannot_be_made_where_nothing_may_be_written(read_only_home: Path) -> None:
    said = as_nobody("create(sys.argv[1])", f"sqlite:///{read_only_home}/another.db")
    assert said.startswith("StorageUnavailableError")
    assert "another.db" in said
    assert "read-only for this user" in said


def test_a_database_that_may_not_even_be_read_is_named(read_only_home: Path) -> None:
    (read_only_home / "orchestrator.db").chmod(0o000)
    said = as_nobody("Reads(connect(sys.argv[1])).dags()", f"sqlite:///{read_only_home}/orchestrator.db")
    assert said.startswith("StorageUnavailableError")
    assert "may not be read by this user" in said


@on_sqlite
def test_an_engine_that_is_opened_for_reading_does_not_write(url: str) -> None:
    engine = connect(url, read_only=True)
    try:
        with pytest.raises(StorageUnavailableError, match="cannot be written"), writing(engine) as connection:
            connection.execute(update(history).values(seq=0))
    finally:
        engine.dispose()


# ── a damaged database ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content", [b"SELECT 1;\n" * 2000, b"SQLite format 3\x00" + b"\xff" * 8000])
def test_a_file_that_is_no_database_is_named_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "orchestrator.db"
    path.write_bytes(content)
    url = f"sqlite:///{path}"
    assert check(url) is SchemaState.CORRUPT
    for use in (connect, create):
        with pytest.raises(StorageCorruptError, match=r"orchestrator\.db is damaged or no database.*backup"):
            use(url)
    assert path.read_bytes() == content


def test_damage_inside_a_database_is_found_and_named(tmp_path: Path) -> None:
    path = tmp_path / "orchestrator.db"
    url = f"sqlite:///{path}"
    engine = create(url)
    store = SqlHistoryStore(engine)
    store.claim("test:1")
    told = begin(store)
    for _ in range(300):
        told.works("extract", result=b'"' + b"x" * 2_000 + b'"')
    commit(store, told)
    store.release()
    engine.dispose()
    half = path.stat().st_size // 8192 * 4096  # what lies before it are the tables' own pages
    with path.open("r+b") as file:
        file.seek(half)
        file.write(os.urandom(path.stat().st_size - half))
    assert check(url, thorough=True) is SchemaState.CORRUPT
    engine = connect(url)
    try:
        with pytest.raises(StorageCorruptError, match="backup"):
            SqlHistoryStore(engine).read(told.run_key)
    finally:
        engine.dispose()


def test_a_fact_that_is_no_json_is_named(store: SqlHistoryStore, engine: Engine) -> None:
    told = begin(store).works("extract")
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(update(history).where(history.c.seq == 2).values(body='{"task_id": '))
    with pytest.raises(StorageCorruptError, match="ActivityScheduled"):
        store.read(told.run_key)


def test_a_fact_of_a_newer_program_is_named(store: SqlHistoryStore, engine: Engine) -> None:
    told = begin(store).works("extract")
    commit(store, told)
    with writing(engine) as connection:
        connection.execute(update(history).where(history.c.seq == 2).values(version=9))
    with pytest.raises(SchemaVersionError, match=r"ActivityScheduled version 9.*upgrade the program"):
        store.read(told.run_key)


# ── a database that goes away ────────────────────────────────────────────────────────────────────────────────


def test_a_server_that_cannot_be_reached_is_named_without_its_password() -> None:
    with pytest.raises(StorageUnavailableError, match="cannot be reached") as caught:
        connect("postgresql://ada:secret@127.0.0.1:1/orchestrator")
    assert "secret" not in str(caught.value)


@on_postgresql
def test_a_server_that_drops_its_sessions_is_used_again_when_it_is_back(
    store: SqlHistoryStore, open_engine: Callable[..., Engine]
) -> None:
    told = begin(store)
    commit(store, told)
    group = Group(at=NOW, parts=[told.works("extract").part()])
    with open_engine().connect() as other:
        other.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    with pytest.raises(StorageUnavailableError, match="cannot be"):
        store.commit(group)
    assert store.commit(group) == frozenset()
    with pytest.raises(StorageUnavailableError, match="cannot be"):
        store.renew()
    store.renew()
    assert len(store.read(told.run_key)) == 4


# ── a process that dies ──────────────────────────────────────────────────────────────────────────────────────

COMMIT_FOR_EVER = """
import sys
from orchestrator.storage.database import connect
from orchestrator.storage.history import SqlHistoryStore
from tests.contracts.stories import begin, commit
store = SqlHistoryStore(connect(sys.argv[1]))
store.claim("doomed:1")
while True:
    told = begin(store).works("extract").works("load")
    commit(store, told)
    print(told.run_key, flush=True)
"""


@pytest.mark.parametrize("after", [1, 20, 90])
def test_a_recorded_result_is_never_lost(url: str, open_engine: Callable[..., Engine], after: int) -> None:
    command = [sys.executable, "-c", COMMIT_FOR_EVER, url]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        told = [process.stdout.readline() for _ in range(after)]
        process.send_signal(signal.SIGKILL)
        told += process.stdout.readlines()
    store = SqlHistoryStore(open_engine())
    recorded = [int(line) for line in told if line.endswith("\n")]
    assert len(recorded) >= after
    assert {len(store.read(run_key)) for run_key in recorded} == {7}
    with reading(open_engine()) as connection:
        lengths = connection.execute(text("SELECT count(*) FROM history GROUP BY run_key")).scalars()
        assert set(lengths) == {7}
