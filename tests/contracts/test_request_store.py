"""The RequestBook: what is asked for is kept until it is dealt with, once."""

import concurrent.futures
import time
from collections.abc import Callable

import msgspec
import pytest
from sqlalchemy import Engine

from orchestrator.core.requests import CancelRun, ClearTasks, PauseRun, ResolveTask, TriggerRun
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.names import TaskState
from orchestrator.ports import Answer, Group
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections
from orchestrator.storage.reads import Reads, Verdict
from orchestrator.storage.requests import RequestBook
from tests.contracts.conftest import StoppedClock
from tests.contracts.stories import NOW, begin, commit


@pytest.fixture
def book(engine: Engine, clock: StoppedClock) -> RequestBook:
    return RequestBook(engine, clock)


def trigger(run_id: str = "r", **fields: object) -> TriggerRun:
    return TriggerRun(dag_id="etl", run_id=run_id, run_uid=f"uid-{run_id}", by="ada", **fields)


def test_the_scheduler_is_given_requests_as_they_were_in_their_order(book: RequestBook, engine: Engine) -> None:
    asked = [
        trigger(conf=msgspec.Raw(b'{"a": [1, 2.5]}'), logical_date=NOW),
        ClearTasks(dag_id="etl", run_id="r", tasks=(("extract", None), ("each", 3))),
        ResolveTask(dag_id="etl", run_id="r", task_id="x", state=TaskState.SUCCESS, result=msgspec.Raw(b"42")),
        PauseRun(dag_id="etl", run_id="r"),
    ]
    ids = [book.submit(request, f"key{number}") for number, request in enumerate(asked)]
    pending = SqlProjections(engine).requests()
    assert [entry.request for entry in pending] == asked
    assert [entry.id for entry in pending] == ids == sorted(ids)


def test_the_same_client_key_asks_once(book: RequestBook, engine: Engine) -> None:
    first = book.submit(trigger(), "same")
    assert book.submit(trigger(), "same") == first
    assert len(SqlProjections(engine).requests()) == 1


def test_the_same_client_key_asks_once_also_after_the_answer(
    book: RequestBook, store: SqlHistoryStore, engine: Engine, reads: Reads
) -> None:
    first = book.submit(trigger("a"), "same")
    store.commit(Group(at=NOW, parts=[begin(store, run_id="a").part()], answers=[Answer(request_id=first)]))
    assert book.submit(trigger("a"), "same") == first
    assert SqlProjections(engine).requests() == []
    assert reads.request(first).verdict is Verdict.CARRIED_OUT


def test_ids_are_not_given_again_once_requests_are_answered(book: RequestBook, store: SqlHistoryStore) -> None:
    first = book.submit(trigger("a"), "k1")
    store.commit(Group(at=NOW, answers=[Answer(request_id=first)]))
    assert book.submit(trigger("b"), "k2") > first


def test_a_run_id_that_a_run_has_cannot_be_triggered(book: RequestBook, store: SqlHistoryStore) -> None:
    commit(store, begin(store, run_id="taken"))
    with pytest.raises(ConflictError, match=r"'etl'.*'taken'"):
        book.submit(trigger("taken"), "k")


def test_a_run_id_that_is_asked_for_cannot_be_triggered_again(book: RequestBook, engine: Engine) -> None:
    book.submit(trigger("taken"), "k1")
    with pytest.raises(ConflictError, match="'taken'"):
        book.submit(trigger("taken"), "k2")
    book.submit(CancelRun(dag_id="etl", run_id="taken"), "k3")
    assert len(SqlProjections(engine).requests()) == 2


def test_of_many_that_trigger_one_run_id_at_once_one_succeeds(
    open_engine: Callable[..., Engine], engine: Engine, clock: StoppedClock
) -> None:
    books = [RequestBook(open_engine(), clock) for _ in range(4)]

    def ask(number: int) -> bool:
        try:
            books[number].submit(trigger("contested"), f"key{number}")
        except ConflictError:
            return False
        return True

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [False, False, False, True]
    assert len(SqlProjections(engine).requests()) == 1


def test_words_that_are_no_text_are_refused(book: RequestBook) -> None:
    with pytest.raises(UsageError, match="UTF-8"):
        book.submit(CancelRun(dag_id="etl", run_id="r", reason="caf\udce9"), "k")
    with pytest.raises(UsageError, match="NUL"):
        book.submit(CancelRun(dag_id="etl", run_id="r\x00"), "k")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
def test_a_request_takes_under_ten_milliseconds(book: RequestBook) -> None:
    book.submit(trigger("warm"), "warm")
    fastest = min(_seconds(book, number) for number in range(20))
    assert fastest < 0.010


def _seconds(book: RequestBook, number: int) -> float:
    start = time.perf_counter()
    book.submit(trigger(f"run{number}"), f"key{number}")
    return time.perf_counter() - start
