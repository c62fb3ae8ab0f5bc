"""The effect and the record of it stand or fall together, whatever happens in between."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, text

from orchestrator.core.orders import Completed, Failed, Lost, Order, Skipped
from orchestrator.names import Delivery, FailureKind
from tests.postgres_server import running_server
from tests.worker.workshop import Bench, Workshop, make_executor, value_of

SOURCE = """
import os
import time

from orchestrator import DAG, AirflowSkipException, get_current_context, task
from orchestrator.operators.sql import SQLExecuteQueryOperator


def mark(name):
    with open(os.path.join(get_current_context()["params"]["marks"], name), "a") as file:
        file.write("x")


def charge():
    mark("ran")
    connection = get_current_context()["connection"]
    connection.exec_driver_sql("insert into ledger values (42)")
    return connection


with DAG("shop"):

    @task(delivery="transactional", connection="effects")
    def charges():
        charge()
        return {"amount": 42}

    @task(delivery="transactional", connection="effects")
    async def charges_async():
        charge()
        return "async"

    @task(delivery="transactional", connection="effects")
    def charges_and_waits():
        charge()
        path = os.path.join(get_current_context()["params"]["marks"], "gate")
        while not os.path.exists(path):
            time.sleep(0.005)
        return "waited"

    @task(delivery="transactional", connection="effects")
    def charges_and_fails():
        charge()
        raise ValueError("declined")

    @task(delivery="transactional", connection="effects")
    def charges_and_skips():
        charge()
        raise AirflowSkipException("closed")

    @task(delivery="transactional", connection="effects")
    def charges_and_misencodes():
        charge()
        return object()

    @task(delivery="transactional", connection="effects")
    def charges_and_returns_much():
        charge()
        return "x" * 100_000

    @task(delivery="transactional", connection="effects")
    def tries_a_savepoint():
        connection = charge()
        with connection.begin_nested() as savepoint:
            connection.exec_driver_sql("insert into ledger values (1)")
            savepoint.rollback()
        return "kept"

    for what, end in {
        "commit": lambda c: c.commit(),
        "rollback": lambda c: c.rollback(),
        "close": lambda c: c.close(),
        "transaction": lambda c: c.get_transaction().commit(),
        "statement": lambda c: c.exec_driver_sql("commit"),
    }.items():

        @task(task_id=f"ends_by_{what}", delivery="transactional", connection="effects")
        def ends(end=end):
            end(charge())

        ends()

    for body in (charges, charges_async, charges_and_waits, charges_and_fails, charges_and_skips):
        body()
    charges_and_misencodes(), charges_and_returns_much(), tries_a_savepoint()

    adds, wrong = "insert into ledger values (7)", "insert into nowhere values (7)"
    sums = "select sum(amount) from ledger"
    settings = {"conn_id": "effects", "delivery": "transactional"}
    SQLExecuteQueryOperator(task_id="sql_charges", sql=[adds, sums], **settings)
    SQLExecuteQueryOperator(task_id="sql_charges_and_fails", sql=[adds, wrong], **settings)
    SQLExecuteQueryOperator(task_id="sql_ends", sql=[adds, "commit"], **settings)
    SQLExecuteQueryOperator(task_id="sql_autocommits", sql=adds, autocommit=True, **settings)
"""


class Till:
    """A target database, and orders that work in it."""

    def __init__(self, shop: Workshop, url: str) -> None:
        self.shop = shop
        self.engine = create_engine(url)
        shop.write("till.py", SOURCE)
        with self.engine.begin() as connection:
            connection.execute(text("drop table if exists orchestrator_completions"))
            connection.execute(text("drop table if exists ledger"))
            connection.execute(text("create table ledger (amount integer)"))

    def order(self, task_id: str, **given: Any) -> Order:
        standard = {"file": "till.py", "delivery": Delivery.TRANSACTIONAL, "connection": "effects"}
        return self.shop.order(task_id, **{**standard, **given})

    def read(self, query: str) -> list[tuple[Any, ...]]:
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(text(query))]

    @property
    def ledger(self) -> list[int]:
        return [amount for (amount,) in self.read("select amount from ledger")]

    @property
    def completions(self) -> list[tuple[Any, ...]]:
        return self.read("select run_uid, task_id, map_index, generation, result from orchestrator_completions")


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with running_server() as server:
        yield server.database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/target.db"
    address: str = request.getfixturevalue("postgres_url")
    return address.replace("postgresql://", "postgresql+psycopg://")


@pytest.fixture
def till(shop: Workshop, url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Till]:
    monkeypatch.setenv("ORCHESTRATOR_CONN_EFFECTS", url)
    till = Till(shop, url)
    yield till
    till.engine.dispose()


@pytest.fixture
def bench(till: Till, shop: Workshop) -> Iterator[Bench]:
    """Bodies in this process."""
    executor = make_executor("inline", shop)
    yield Bench(executor)
    executor.stop()


@pytest.fixture
def workers(till: Till, shop: Workshop) -> Iterator[Bench]:
    """Bodies in worker processes."""
    executor = make_executor("local", shop)
    executor.start()
    yield Bench(executor)
    executor.stop()


def test_the_effect_and_its_record_are_committed_together(workers: Bench, till: Till) -> None:
    assert workers.complete(till.order("charges")) == {"amount": 42}
    assert till.ledger == [42]
    assert till.completions == [("uid", "charges", -1, 1, '{"amount":42}')]


def test_the_statements_of_an_sql_task_are_committed_with_its_result_and_run_once(workers: Bench, till: Till) -> None:
    recorded = [None, [{"__type__": "tuple", "value": [7]}]]
    assert workers.complete(till.order("sql_charges")) == recorded
    assert till.ledger == [7]
    assert workers.complete(till.order("sql_charges")) == recorded
    assert till.ledger == [7]


@pytest.mark.parametrize(
    ("task_id", "said"),
    [
        ("sql_charges_and_fails", "statement 2 of 2 failed on connection 'effects'"),
        ("sql_ends", "commit on the connection of a transactional task; leave the transaction open"),
        ("sql_autocommits", "leave out autocommit= and database="),
    ],
)
def test_statements_that_fail_or_end_the_transaction_leave_nothing(
    bench: Bench, till: Till, task_id: str, said: str
) -> None:
    report = bench.run(till.order(task_id))
    assert isinstance(report, Failed)
    assert said in report.failure.message
    assert (till.ledger, till.completions) == ([], [])


def test_an_async_body_is_delivered_alike(bench: Bench, till: Till) -> None:
    assert bench.complete(till.order("charges_async")) == "async"
    assert till.ledger == [42]


def test_a_commit_whose_report_was_lost_is_found_by_the_next_attempt(bench: Bench, till: Till, shop: Workshop) -> None:
    bench.complete(till.order("charges"))
    assert bench.complete(till.order("charges")) == {"amount": 42}
    assert till.ledger == [42]
    assert shop.mark("ran") == "x"


def test_a_new_generation_is_a_new_effect(bench: Bench, till: Till) -> None:
    bench.complete(till.order("charges"))
    bench.complete(till.order("charges", idempotency_key="uid/charges/-1/2"))
    assert till.ledger == [42, 42]


@pytest.mark.parametrize(
    ("task_id", "kind"),
    [("charges_and_fails", FailureKind.ERROR), ("charges_and_misencodes", FailureKind.ENCODING)],
)
def test_a_body_that_fails_leaves_neither_effect_nor_record(
    bench: Bench, till: Till, task_id: str, kind: FailureKind
) -> None:
    report = bench.run(till.order(task_id))
    assert isinstance(report, Failed)
    assert report.kind is kind
    assert till.ledger == till.completions == []


def test_a_body_that_skips_itself_leaves_neither_effect_nor_record(bench: Bench, till: Till) -> None:
    assert isinstance(bench.run(till.order("charges_and_skips")), Skipped)
    assert till.ledger == till.completions == []


def test_a_rival_attempt_waits_and_then_finds_the_record(workers: Bench, till: Till, shop: Workshop) -> None:
    first, rival = till.order("charges_and_waits"), till.order("charges_and_waits")
    workers.submit(first)
    workers.until(lambda: shop.mark("ran"))
    workers.submit(rival)
    workers.until(lambda: workers.is_started(rival))
    assert workers.ending(rival) is None
    (shop.marks / "gate").touch()
    assert [value_of(ending) for ending in workers.finish([first, rival])] == ["waited", "waited"]
    assert shop.mark("ran") == "x"
    assert till.ledger == [42]


def test_a_rival_of_an_attempt_whose_worker_is_killed_goes_on_in_its_place(
    workers: Bench, till: Till, shop: Workshop
) -> None:
    first, rival = till.order("charges_and_waits"), till.order("charges_and_waits")
    workers.submit(first)
    workers.until(lambda: shop.mark("ran"))
    pid = int(workers.about(first)[0].worker.rpartition(":")[2])  # type: ignore[union-attr]
    workers.submit(rival)
    workers.until(lambda: workers.is_started(rival))
    os.kill(pid, signal.SIGKILL)
    (shop.marks / "gate").touch()
    lost, done = workers.finish([first, rival])
    assert isinstance(lost, Lost)
    assert value_of(done) == "waited"
    assert till.ledger == [42]


def test_a_cancelled_body_leaves_neither_effect_nor_record(workers: Bench, till: Till, shop: Workshop) -> None:
    order = till.order("charges_and_waits")
    workers.submit(order)
    workers.until(lambda: shop.mark("ran"))
    workers.executor.cancel([order.key])
    report = workers.finish([order])[0]
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.CANCELLED
    assert till.ledger == till.completions == []


@pytest.mark.parametrize("way", ["commit", "rollback", "close", "transaction", "statement"])
def test_the_transaction_is_not_the_bodys_to_end(bench: Bench, till: Till, way: str) -> None:
    report = bench.run(till.order(f"ends_by_{way}"))
    assert isinstance(report, Failed)
    assert "leave the transaction open" in report.failure.message
    assert till.ledger == till.completions == []


def test_a_savepoint_is_the_bodys_to_end(bench: Bench, till: Till) -> None:
    assert bench.complete(till.order("tries_a_savepoint")) == "kept"
    assert till.ledger == [42]


def test_a_large_result_stands_or_falls_with_its_effect_too(bench: Bench, till: Till) -> None:
    report = bench.run(till.order("charges_and_returns_much"))
    assert isinstance(report, Completed)
    assert report.payload is not None
    assert len(till.completions[0][4]) == report.payload.size


def test_a_connection_that_nobody_defined_is_named_with_the_variable_to_set(bench: Bench, till: Till) -> None:
    report = bench.run(till.order("charges", connection="no-such"))
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.NON_RETRYABLE
    assert "there is no connection 'no-such'; set ORCHESTRATOR_CONN_NO_SUCH" in report.failure.message


@pytest.mark.parametrize(
    ("url", "what"),
    [
        ("not a url", "is no SQLAlchemy URL"),
        ("nosuchdatabase://x", "needs a database driver that is not installed"),
        ("sqlite:////nowhere/at/all.db", "cannot be opened"),
        ("home", "is the orchestrator's own database"),
    ],
)
def test_a_connection_that_cannot_be_used_is_said_in_one_sentence(
    shop: Workshop, monkeypatch: pytest.MonkeyPatch, url: str, what: str
) -> None:
    home = f"sqlite:///{shop.folder}/orchestrator.db"
    monkeypatch.setenv("AIRFLOW_CONN_EFFECTS", home if url == "home" else url)
    shop.write("till.py", SOURCE)
    executor = make_executor("inline", shop, home_database=home)
    report = Bench(executor).run(
        shop.order("charges", file="till.py", delivery=Delivery.TRANSACTIONAL, connection="effects")
    )
    executor.stop()
    assert isinstance(report, Failed)
    assert report.kind is FailureKind.NON_RETRYABLE
    assert f"connection 'effects' {what}" in report.failure.message
