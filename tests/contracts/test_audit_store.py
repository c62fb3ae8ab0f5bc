"""The audit: every line is chained to the one before; what is done to them past the program is found and named."""

import concurrent.futures
from collections.abc import Callable
from datetime import timedelta

import msgspec
import pytest
from sqlalchemy import Engine, delete, insert, select, text, update

from orchestrator.core.requests import TriggerRun
from orchestrator.core.rights import Grant, Principal, Role
from orchestrator.ports import Answer, Group
from orchestrator.storage.audit import AuditLog, Seal, digest, line_of, note
from orchestrator.storage.audit_chain import Verification, verify
from orchestrator.storage.audit_reads import AuditFilter
from orchestrator.storage.cleaning import Cleaning
from orchestrator.storage.database import connect, create, reading, writing
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.migrate import migrate
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.schema import BASE, HEAD, VERSION_TABLE
from orchestrator.storage.tables import audit, audit_seals
from tests.contracts.conftest import NOW, StoppedClock


@pytest.fixture
def log(engine: Engine, clock: StoppedClock) -> AuditLog:
    return AuditLog(engine, clock)


@pytest.fixture
def six(engine: Engine, log: AuditLog) -> Engine:
    """A log of six lines."""
    for number in range(1, 7):
        log.note("session:ada", "clear", dag_id="etl", run_id=f"run_{number}", tasks=[number])
    return engine


def words(found: Verification) -> list[str]:
    return [one.what for one in found.breaks]


def do(engine: Engine, *statements: object) -> None:
    with writing(engine) as connection:
        for statement in statements:
            connection.execute(statement)


def test_a_log_that_nobody_touched_holds(six: Engine, reads: Reads) -> None:
    found = verify(six)
    assert (found.lines, found.seal.id, words(found)) == (6, 6, [])
    assert [line.run_id for line in reads.audit(limit=2)] == ["run_6", "run_5"]


def test_an_empty_log_holds(engine: Engine) -> None:
    assert verify(engine) == Verification(lines=0, seal=Seal(id=0, hash=""))


CHANGES = {
    "by": "session:eve",
    "action": "view",
    "dag_id": "other",
    "run_id": None,
    "body": '{"tasks":[99]}',
    "refusal": "it was never done",
    "at": NOW - timedelta(days=1),
    "client_key": "k",
    "request_id": 7,
}


def test_a_line_of_which_anything_was_changed_is_named(six: Engine) -> None:
    with reading(six) as connection:
        true = connection.execute(select(audit).where(audit.c.id == 3)).one()._asdict()
    for column, value in CHANGES.items():
        do(six, update(audit).where(audit.c.id == 3).values({column: value}))
        assert words(verify(six)) == ["line 3 was changed after it was written"], column
        do(six, update(audit).where(audit.c.id == 3).values({column: true[column]}))
    assert words(verify(six)) == []


def test_a_line_that_was_taken_out_leaves_a_gap_that_is_named(six: Engine) -> None:
    do(six, delete(audit).where(audit.c.id == 3))
    assert words(verify(six)) == ["the line that line 4 was written after is gone, or was written anew"]


def test_a_line_that_was_taken_out_is_missed_though_the_others_moved_up(six: Engine) -> None:
    do(
        six,
        delete(audit).where(audit.c.id == 3),
        *(update(audit).where(audit.c.id == n).values(id=n - 1) for n in (4, 5, 6)),
    )
    assert words(verify(six))[0] == "the line that line 3 was written after is gone, or was written anew"


def test_lines_that_changed_places_are_named(six: Engine) -> None:
    moves = [(3, 99), (4, 3), (99, 4)]
    do(six, *(update(audit).where(audit.c.id == old).values(id=new) for old, new in moves))
    assert words(verify(six)) == [
        "line 3 is out of its place: it was written right after line 4, not line 2",
        "line 4 is out of its place: it was written right after line 2, not line 3",
        "line 5 is out of its place: it was written right after line 3, not line 4",
    ]


def test_a_line_that_was_written_anew_with_its_hash_is_missed_by_the_next(six: Engine) -> None:
    with writing(six) as connection:
        row = connection.execute(select(audit).where(audit.c.id == 3)).one()
        forged = msgspec.structs.replace(line_of(row), by="session:eve")
        values = {"by": forged.by, "hash": digest(row.prev, forged)}
        connection.execute(update(audit).where(audit.c.id == 3).values(values))
    assert words(verify(six)) == ["the line that line 4 was written after is gone, or was written anew"]


def test_lines_that_were_cut_off_at_the_end_are_missed(six: Engine) -> None:
    do(six, delete(audit).where(audit.c.id > 4))
    assert words(verify(six)) == ["the lines after line 4 are gone, up to line 6"]


def test_a_log_that_was_emptied_is_missed(six: Engine) -> None:
    do(six, delete(audit))
    assert words(verify(six)) == ["the lines after line 0 are gone, up to line 6"]


def test_a_line_that_was_added_by_hand_is_named(six: Engine) -> None:
    row = {"id": 7, "at": NOW, "by": "session:eve", "action": "clear", "body": "{}"}
    do(six, insert(audit).values(row))
    assert words(verify(six)) == [
        "line 7 was changed after it was written",
        "the line that line 7 was written after is gone, or was written anew",
        "line 7 is not the last one that was written, line 6",
    ]


def test_a_log_without_its_seal_takes_further_lines_and_says_so(six: Engine, log: AuditLog) -> None:
    do(six, delete(audit_seals).where(audit_seals.c.name == HEAD))
    assert words(verify(six)) == ["the seal of the last line is gone"]
    log.note("session:ada", "clear")
    assert words(verify(six)) == ["the line that line 7 was written after is gone, or was written anew"]


def test_a_log_that_was_written_anew_to_its_end_is_told_by_a_seal_kept_elsewhere(six: Engine, log: AuditLog) -> None:
    known = verify(six).seal
    log.note("session:ada", "clear")
    assert words(verify(six, known=known)) == []
    with writing(six) as connection:
        connection.execute(update(audit).where(audit.c.id == 5).values(by="session:eve"))
        prev = connection.execute(select(audit.c.hash).where(audit.c.id == 4)).scalar_one()
        for number in (5, 6, 7):
            line = line_of(connection.execute(select(audit).where(audit.c.id == number)).one())
            values = {"prev": prev, "hash": digest(prev, line)}
            connection.execute(update(audit).where(audit.c.id == number).values(values))
            prev = values["hash"]
        connection.execute(update(audit_seals).where(audit_seals.c.name == HEAD).values(hash=prev))
    assert words(verify(six)) == []
    assert words(verify(six, known=known)) == ["line 6 is not the one of the seal: the log was written anew"]


def test_what_is_left_after_a_cleaning_holds_and_an_older_seal_says_that_it_is_too_old(
    engine: Engine, log: AuditLog, clock: StoppedClock
) -> None:
    clock.advance(-timedelta(days=90))
    seals = []
    for _ in range(3):
        log.note("session:ada", "clear")
        seals.append(verify(engine).seal)
    clock.advance(timedelta(days=90))
    log.note("session:ada", "clear")
    Cleaning(engine).clean(NOW - timedelta(days=30), now=NOW)
    assert [words(verify(engine, known=known)) for known in seals] == [
        ["line 1 of the seal was cleaned away, as were all up to line 3"],
        ["line 2 of the seal was cleaned away, as were all up to line 3"],
        [],
    ]
    do(engine, delete(audit).where(audit.c.id == 4))
    assert words(verify(engine)) == ["the line that line 5 was written after is gone, or was written anew"]


def test_a_cleaning_leaves_no_old_line_between_young_ones_out(
    engine: Engine, log: AuditLog, clock: StoppedClock
) -> None:
    """Where clocks differ, a beginning of the chain goes, never a part of its middle."""
    for days in (90, 0, 90):
        clock.moment = NOW - timedelta(days=days)
        log.note("session:ada", "clear")
    clock.moment = NOW
    assert Cleaning(engine).clean(NOW - timedelta(days=30), now=NOW).audit_lines == 1
    assert (verify(engine).lines, words(verify(engine))) == (3, [])


def test_those_who_write_at_once_make_one_chain(
    engine: Engine, store: SqlHistoryStore, open_engine: Callable[..., Engine], clock: StoppedClock
) -> None:
    book = RequestBook(engine, clock)
    asked = [
        book.submit(TriggerRun(dag_id="etl", run_id=f"m{n}", run_uid=str(n), by="cli:bob"), f"k{n}") for n in range(40)
    ]

    def answer() -> None:
        for request in asked:
            store.commit(Group(at=NOW, answers=[Answer(request_id=request)]))

    def note(writer: int) -> None:
        mine = AuditLog(open_engine(), clock)
        for number in range(20):
            mine.note(f"session:user_{writer}", "clear", number=number)

    def set_pools() -> None:
        for number in range(20):
            Records(open_engine(), clock).set_pool(f"p{number}", 1, by="cli:bob")

    with concurrent.futures.ThreadPoolExecutor(5) as pool:
        jobs = [pool.submit(answer), pool.submit(set_pools), *(pool.submit(note, writer) for writer in range(3))]
        for job in jobs:
            job.result(timeout=60)
    found = verify(engine)
    assert (found.lines, found.seal.id, words(found)) == (120, 120, [])


def test_a_line_whose_transaction_is_rolled_back_leaves_no_gap(
    engine: Engine, log: AuditLog, clock: StoppedClock
) -> None:
    log.note("session:ada", "clear")
    with engine.connect().execution_options(writes=True) as connection, connection.begin() as transaction:
        note(connection, NOW, "session:eve", "clear")
        transaction.rollback()
    log.note("session:ada", "clear")
    assert (verify(engine).seal.id, words(verify(engine))) == (2, [])


def test_what_was_written_before_lines_were_chained_is_chained_by_the_migration(empty_url: str) -> None:
    migrate(empty_url)
    engine = connect(empty_url)
    rows = [
        {"id": n, "at": NOW, "by": "cli:bøb\x7f", "action": "a\t", "dag_id": f"d\u2028{n}", "body": '{"x":"\\u0000"}'}
        for n in (2, 5, 6)
    ]
    do(engine, *(insert(audit).values(row) for row in rows))
    _undo_the_last_migrations(engine)
    engine.dispose()
    assert migrate(empty_url) == "0005"
    engine = connect(empty_url)
    AuditLog(engine, StoppedClock()).note("session:ada", "clear")
    found = verify(engine)
    assert (found.lines, found.seal.id, words(found)) == (4, 7, [])
    engine.dispose()


_NEWER = ("ix_audit_dag_id_run_id", "ix_runs_day", "ix_runs_started_at", "ix_runs_logical_date")


def _undo_the_last_migrations(engine: Engine) -> None:
    with writing(engine) as connection:
        for index in (*_NEWER, "ix_audit_said"):
            connection.execute(text(f"DROP INDEX {index}"))
        for column in ("prev", "hash"):
            connection.execute(text(f"ALTER TABLE audit DROP COLUMN {column}"))
        for table in ("audit_seals", "users", "grants", "tokens", "sessions", "sign_in_attempts", "parts"):
            connection.execute(text(f"DROP TABLE {table}"))
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0005'"))


def test_lines_are_found_by_who_what_where_and_when(
    log: AuditLog, reads: Reads, engine: Engine, clock: StoppedClock
) -> None:
    log.note("session:ada", "clear", dag_id="etl", run_id="r1")
    log.note("token:7:ada", "trigger_run", dag_id="shop")
    clock.advance(timedelta(hours=1))
    log.note("cli:bob", "set_pool")
    log.note("session:a%a", "clear", dag_id="etl", refusal="it is not yours")

    def found(**which: object) -> list[int]:
        return [line.id for line in reads.audit(AuditFilter(**which))]

    assert found(who="ada") == [2, 1]
    assert (found(who="a%a"), found(who="da"), found(who="a_a")) == ([4], [], [])
    assert (found(action="clear"), found(dag_id="etl"), found(run_id="r1")) == ([4, 1], [4, 1], [1])
    assert (found(since=NOW + timedelta(hours=1)), found(until=NOW + timedelta(hours=1))) == ([4, 3], [2, 1])
    narrowed = Reads(engine, Principal(name="ada", grants=(Grant(Role.VIEWER, "sh*"),)))
    assert [line.id for line in narrowed.audit()] == [2]
    assert [(line.via, line.who, line.outcome) for line in reads.audit()] == [
        ("session", "a%a", "refused"),
        ("cli", "bob", "done"),
        ("token:7", "ada", "done"),
        ("session", "ada", "done"),
    ]


def test_no_secret_reaches_a_line(
    log: AuditLog, store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock
) -> None:
    log.note("cli:bob", "set_config", password="hunter22", nested={"rows": [{"api_key": "hunter22"}]}, city="Oslo")
    conf = msgspec.Raw(b'{"Auth_Token": "hunter22", "city": "Oslo"}')
    book = RequestBook(engine, clock)
    request = book.submit(TriggerRun(dag_id="etl", run_id="m", run_uid="u", by="cli:bob", conf=conf), "k")
    store.commit(Group(at=NOW, answers=[Answer(request_id=request)]))
    with reading(engine) as connection:
        everything = str(connection.execute(select(audit)).all())
    assert ("hunter22" in everything, everything.count("Oslo"), words(verify(engine))) == (False, 2, [])


def test_a_request_that_cannot_be_taken_apart_is_answered_all_the_same(
    store: SqlHistoryStore, engine: Engine, reads: Reads, clock: StoppedClock
) -> None:
    """Otherwise whoever starts a run could stop the scheduler."""
    book = RequestBook(engine, clock)
    for number, conf in enumerate((b'{"token": ' + b"[" * 700 + b"]" * 700 + b"}", b'{"token": "\\ud800"}')):
        asked = TriggerRun(dag_id="etl", run_id=f"m{number}", run_uid=f"{number}", conf=msgspec.Raw(conf))
        request = book.submit(asked, f"k{number}")
        assert store.commit(Group(at=NOW, answers=[Answer(request_id=request)])) == frozenset()
        assert (reads.request(request).verdict, "[[" in str(bytes(reads.audit()[0].body))) == ("carried_out", False)
    assert words(verify(engine)) == []


def test_text_that_no_database_takes_is_written_down_all_the_same(log: AuditLog, reads: Reads) -> None:
    log.note("session:a\x00\udc80", "clear", dag_id="x\x00" * 500, refusal="no\x00", nested={"\ud800": ["\x00"]})
    (line,) = reads.audit()
    assert (line.by, len(line.dag_id), line.refusal) == ("session:a\\x00\\udc80", 250, "no\\x00")


def test_the_chain_of_a_new_database_begins_at_nothing(url: str) -> None:
    engine = create(url)
    with reading(engine) as connection:
        assert sorted(connection.execute(select(audit_seals.c.name)).scalars()) == [BASE, HEAD]
    engine.dispose()
