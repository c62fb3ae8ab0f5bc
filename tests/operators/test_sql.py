"""SQL: what statements give, that they stand or fall together, and what is said of the one that failed."""

import datetime as dt
import logging
import threading
from collections.abc import Iterator
from decimal import Decimal
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from orchestrator import DAG
from orchestrator.core import values
from orchestrator.exceptions import (
    AirflowException,
    AirflowFailException,
    AirflowRescheduleException,
    ConfigError,
    DagError,
    SqlError,
    TemplateError,
    UsageError,
)
from orchestrator.hooks.sql import SqlHook, fetch_one_handler
from orchestrator.operators.empty import EmptyOperator
from orchestrator.operators.sql import (
    BranchSQLOperator,
    SQLCheckOperator,
    SQLColumnCheckOperator,
    SQLExecuteQueryOperator,
    SQLIntervalCheckOperator,
    SQLTableCheckOperator,
    SQLThresholdCheckOperator,
    SQLValueCheckOperator,
)
from orchestrator.sensors.sql import SqlSensor
from tests.postgres_server import running_server

ROWS = [(1, "ash", 10), (2, "oak", 20), (3, None, 30)]


@pytest.fixture(scope="module")
def postgres_url() -> Iterator[str]:
    with running_server() as server:
        yield server.database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path, connections) -> str:
    """A database with a table ``trees`` in it, as connection ``db``."""
    url = f"sqlite:///{tmp_path}/db.sqlite" if request.param == "sqlite" else request.getfixturevalue("postgres_url")
    connections("db", url)
    hook = SqlHook("db")
    hook.run(["drop table if exists trees", "create table trees (id int, name text, height int)"])
    mark = "?" if request.param == "sqlite" else "%s"
    for row in ROWS:
        hook.run(f"insert into trees values ({mark}, {mark}, {mark})", parameters=row)
    return url


def made(kind, **settings) -> DAG:
    with DAG("d") as dag:
        kind(task_id="t", **({"conn_id": "db"} | settings))
    return dag


def query(sql, **settings) -> DAG:
    return made(SQLExecuteQueryOperator, sql=sql, **settings)


def trees() -> list[tuple]:
    return SqlHook("db").get_records("select id from trees order by id")


@pytest.mark.usefixtures("url")
def test_the_rows_of_a_query_are_its_result(run):
    assert run(query("select id, name from trees where id < 3 order by id"), "t") == [(1, "ash"), (2, "oak")]


@pytest.mark.usefixtures("url")
def test_a_statement_without_rows_has_no_result(run):
    assert run(query("delete from trees where id = 1"), "t") is None
    assert trees() == [(2,), (3,)]


@pytest.mark.usefixtures("url")
def test_a_list_gives_one_result_for_each_and_a_split_text_that_of_the_last(run):
    assert run(query(["select 1", "delete from trees", "select 2"]), "t") == [[(1,)], None, [(2,)]]
    sql = "-- one; two\nselect 'a;b'; select 2;\n"
    assert run(query(sql, split_statements=True), "t") == [(2,)]
    assert run(query(sql, split_statements=True, return_last=False), "t") == [[("a;b",)], [(2,)]]


@pytest.mark.usefixtures("url")
def test_the_statements_stand_or_fall_together_unless_each_is_committed(run):
    wrong = ["delete from trees where id = 1", "delete from nowhere"]
    with pytest.raises(SqlError):
        run(query(wrong), "t")
    assert trees() == [(1,), (2,), (3,)]
    with pytest.raises(SqlError):
        run(query(wrong, autocommit=True), "t")
    assert trees() == [(2,), (3,)]


def test_parameters_are_the_drivers_own_and_never_part_of_the_text(run, url):
    mark, name = ("?", ":name") if "sqlite" in url else ("%s", "%(name)s")
    nasty = "x'; drop table trees; --"
    assert run(query(f"select {mark}", parameters=[nasty]), "t") == [(nasty,)]
    assert run(query(f"select {name}", parameters={"name": "{{ ds }}"}), "t") == [("2026-01-31",)]
    assert run(query(f"select {name}", parameters="{{ {'name': ds} }}"), "t") == [("2026-01-31",)]
    with pytest.raises(UsageError, match="parameters must be a list or a dict, not '2026-01-31'"):
        run(query("select 1", parameters="{{ ds }}"), "t")


@pytest.mark.usefixtures("url")
def test_a_percent_sign_needs_no_doubling_without_parameters(run):
    assert run(query("select name from trees where name like 'a%'"), "t") == [("ash",)]


@pytest.mark.postgres
def test_results_keep_their_types_through_the_record(connections, postgres_url, run):
    connections("db", postgres_url)
    (row,) = run(
        query(
            "select 1.50::numeric, '2026-01-31 06:30+00'::timestamptz, '2026-01-31'::date, true, '\\x00ff'::bytea, "
            "'12345678-1234-5678-1234-567812345678'::uuid, '{\"a\": [1]}'::jsonb, array[1, 2], null"
        ),
        "t",
    )
    moment = dt.datetime(2026, 1, 31, 6, 30, tzinfo=dt.UTC)
    uuid = UUID("12345678-1234-5678-1234-567812345678")
    wanted = (Decimal("1.50"), moment, dt.date(2026, 1, 31), True, b"\x00\xff", uuid, {"a": [1]}, [1, 2], None)
    assert row == wanted
    assert values.decode(values.encode([row])) == [wanted]


@pytest.mark.usefixtures("url")
def test_a_handler_and_an_output_processor_make_the_result(run):
    assert run(query("select id from trees order by id", handler=fetch_one_handler), "t") == (1,)
    assert run(query("select id from trees", handler=lambda cursor: len(cursor.fetchall())), "t") == 3
    assert run(query("delete from trees", handler=lambda cursor: cursor.rowcount), "t") == 3
    assert run(query("select 1", handler=None), "t") is None

    def named(results, descriptions):
        return [
            [dict(zip([c[0] for c in columns], row, strict=True)) for row in rows]
            for rows, columns in zip(results, descriptions, strict=True)
        ]

    assert run(query("select 1 as a, 2 as b", output_processor=named), "t") == [{"a": 1, "b": 2}]


@pytest.mark.usefixtures("url")
def test_a_template_file_is_rendered(run, tmp_path):
    (tmp_path / "count.sql").write_text("select '{{ ds }}', count(*) from trees")
    with DAG("d", template_searchpath=str(tmp_path)) as dag:
        SQLExecuteQueryOperator(task_id="t", conn_id="db", sql="count.sql")
    assert run(dag, "t") == [("2026-01-31", 3)]


def test_a_template_file_that_is_missing_is_told_when_the_file_is_parsed():
    with pytest.raises(TemplateError, match=r"task 't', field 'sql': .*count\.sql"):
        query("count.sql").get_task("t").input_ids()


def test_bad_sql_says_which_statement_where_and_what_the_database_said(run, url):
    with pytest.raises(SqlError) as told:
        run(query(["select 1", "select *\nfrom trees\nwere id = 1"]), "t")
    message = str(told.value)
    assert message.startswith("statement 2 of 2 failed on connection 'db'")
    assert told.value.number == 2
    assert "syntax error" in message
    if "postgres" in url:
        assert "at line 3, column 6" in message
        assert message.endswith("it is: were id = 1")
        assert told.value.position == (3, 6)


def test_a_database_that_cannot_be_opened_or_named_is_one_sentence(connections, run, tmp_path):
    with pytest.raises(ConfigError, match="there is no connection 'db'; set ORCHESTRATOR_CONN_DB"):
        run(query("select 1"), "t")
    connections("db", f"sqlite:///{tmp_path}/no/such/folder.db")
    with pytest.raises(AirflowException, match="the database of connection 'db' cannot be opened: unable to open"):
        run(query("select 1"), "t")
    connections("db", "postgresql://me:pass-word@127.0.0.1:1/x?connect_timeout=2")
    with pytest.raises(AirflowException, match=r"cannot be opened: .*refused") as told:
        run(query("select 1"), "t")
    assert "\n" not in str(told.value)
    connections("db", "nosuch://host/x")
    with pytest.raises(ConfigError, match="needs a database driver that is not installed"):
        run(query("select 1"), "t")


def test_what_cannot_be_obeyed_is_refused_while_the_file_is_parsed():
    with pytest.raises(DagError, match="conn_id is missing"):
        query("select 1", conn_id=None)
    with pytest.raises(DagError, match="hook_params is not supported"):
        query("select 1", hook_params={"a": 1})
    with pytest.raises(DagError, match="conn_id is the plain name of its target"):
        query("select 1", conn_id="{{ x }}", delivery="transactional")
    with pytest.raises(DagError, match="connection= and database= are left out"):
        query("select 1", delivery="transactional", connection="other")
    with pytest.raises(DagError, match="has no setting 'parametres'; did you mean 'parameters'"):
        query("select 1", parametres=[1])


def test_empty_sql_is_refused(run, connections):
    connections("db", "sqlite://")
    with pytest.raises(UsageError, match="sql is empty"):
        run(query("  "), "t")
    with pytest.raises(UsageError, match="sql must be a text or a list of texts"):
        run(query([1]), "t")


def test_airflows_way_to_write_an_sqlite_file_is_understood(connections, tmp_path):
    connections("db", f'{{"conn_type": "sqlite", "host": "{tmp_path}/x.db"}}')
    assert SqlHook("db").get_first("select 1") == (1,)
    assert (tmp_path / "x.db").exists()


@pytest.mark.usefixtures("url")
def test_the_log_has_rows_only_where_it_is_asked_for(run, caplog):
    caplog.set_level(logging.INFO)
    run(query("select name from trees where id = 2"), "t")
    assert "oak" not in caplog.text
    run(query("select name from trees where id = 2", show_return_value_in_logs=True), "t")
    assert "oak" in caplog.text


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(
    ("sql", "chosen"), [("1", "yes"), ("0", "no"), ("'off'", "no"), ("'Yes'", "yes"), ("1 = 1", "yes")]
)
def test_a_branch_goes_by_what_the_query_says(run, sql, chosen):
    with DAG("d") as dag:
        branch = BranchSQLOperator(
            task_id="t",
            conn_id="db",
            sql=f"select {sql}",
            follow_task_ids_if_true="yes",
            follow_task_ids_if_false=["no"],
        )
        branch >> [EmptyOperator(task_id="yes"), EmptyOperator(task_id="no")]
    result = run(dag, "t")
    assert result in (chosen, [chosen])
    assert dag.get_task("t").skips(result) == (({"yes", "no"} - {chosen}).pop(),)


@pytest.mark.usefixtures("url")
def test_a_branch_that_says_neither_is_told(run):
    for sql, said in (("select 'perhaps'", "must say true or false"), ("select 1 where 1 = 0", "gave no row")):
        with pytest.raises((AirflowException, UsageError), match=said):
            run(made(BranchSQLOperator, sql=sql, follow_task_ids_if_true="t", follow_task_ids_if_false="t"), "t")


@pytest.mark.usefixtures("url")
def test_a_sensor_waits_for_a_value(run):
    def waits(sql, **settings) -> bool:
        try:
            run(made(SqlSensor, sql=sql, mode="reschedule", **settings), "t")
        except AirflowRescheduleException:
            return True
        return False

    assert waits("select 0")
    assert waits("select name from trees where id = 3")
    assert waits("select id from trees where id = 7")
    assert not waits("select count(*) from trees")
    assert waits("select count(*) from trees", success=lambda count: count > 3)
    assert not waits(
        "select id, height from trees where id = 1", selector=lambda row: row[1], success=lambda h: h == 10
    )
    with pytest.raises(AirflowException, match=r"its failure\(\) is true of 3"):
        waits("select count(*) from trees", failure=lambda count: count == 3)
    with pytest.raises(AirflowException, match="gave no row, and fail_on_empty is set"):
        waits("select id from trees where id = 7", fail_on_empty=True)


CHECKS = [
    (SQLCheckOperator, {"sql": "select count(*) from trees"}, True),
    (SQLCheckOperator, {"sql": "select 1, 0"}, False),
    (SQLCheckOperator, {"sql": "select 1 where 1 = 0"}, False),
    (SQLValueCheckOperator, {"sql": "select count(*) from trees", "pass_value": 3}, True),
    (SQLValueCheckOperator, {"sql": "select count(*) from trees", "pass_value": 2}, False),
    (SQLValueCheckOperator, {"sql": "select sum(height) from trees", "pass_value": 64, "tolerance": 0.1}, True),
    (SQLValueCheckOperator, {"sql": "select sum(height) from trees", "pass_value": 70, "tolerance": 0.1}, False),
    (SQLValueCheckOperator, {"sql": "select name from trees where id = 1", "pass_value": "ash"}, True),
    (SQLThresholdCheckOperator, {"sql": "select 5", "min_threshold": 1, "max_threshold": "select 5"}, True),
    (SQLThresholdCheckOperator, {"sql": "select 5", "min_threshold": 6, "max_threshold": 9}, False),
    (SQLColumnCheckOperator, {"table": "trees", "column_mapping": {"id": {"unique_check": {"equal_to": 0}}}}, True),
    (SQLColumnCheckOperator, {"table": "trees", "column_mapping": {"name": {"null_check": {"equal_to": 0}}}}, False),
    (
        SQLColumnCheckOperator,
        {
            "table": "trees",
            "partition_clause": "id < 3",
            "column_mapping": {
                "height": {"max": {"less_than": 21, "geq_to": 10}, "min": {"equal_to": 9, "tolerance": 0.2}},
                "name": {"null_check": {"equal_to": 0}, "distinct_check": {"geq_to": 2}},
            },
        },
        True,
    ),
    (SQLTableCheckOperator, {"table": "trees", "checks": {"n": {"check_statement": "count(*) = 3"}}}, True),
    (SQLTableCheckOperator, {"table": "trees", "checks": {"low": {"check_statement": "height < 30"}}}, False),
    (
        SQLTableCheckOperator,
        {"table": "trees", "checks": {"low": {"check_statement": "height < 30", "partition_clause": "id < 3"}}},
        True,
    ),
]


@pytest.mark.usefixtures("url")
@pytest.mark.parametrize(("kind", "settings", "passes"), CHECKS)
def test_a_check_passes_or_fails(run, kind, settings, passes):
    if passes:
        run(made(kind, **settings), "t")
    else:
        with pytest.raises(AirflowException, match="failed"):
            run(made(kind, **settings), "t")


@pytest.mark.usefixtures("url")
def test_a_failed_check_names_what_it_found_and_may_forbid_another_try(run):
    mapping = {"height": {"max": {"leq_to": 25}, "min": {"equal_to": 10}}, "name": {"null_check": {"equal_to": 0}}}
    with pytest.raises(AirflowException) as told:
        run(made(SQLColumnCheckOperator, table="trees", column_mapping=mapping), "t")
    assert str(told.value) == (
        "2 of 3 checks of table 'trees' failed: height.max is 30, not leq_to 25; name.null_check is 1, not equal_to 0"
    )
    with pytest.raises(AirflowFailException):
        run(made(SQLCheckOperator, sql="select 0", retry_on_failure=False), "t")


@pytest.mark.parametrize(
    ("mapping", "said"),
    [
        ({"id": {"nul_check": {"equal_to": 0}}}, "there is no such check; did you mean 'null_check'"),
        ({"id": {"min": {"geq": 0}}}, "has no setting 'geq'; did you mean 'geq_to'"),
        ({"id": {"min": {"tolerance": 0.1}}}, "needs equal_to, or one of"),
        ({"id": {"min": {"geq_to": 1, "equal_to": 1}}}, "needs equal_to, or one of"),
    ],
)
def test_a_check_that_makes_no_sense_is_refused_while_the_file_is_parsed(mapping, said):
    with pytest.raises(DagError, match=said):
        made(SQLColumnCheckOperator, table="trees", column_mapping=mapping)


def test_an_interval_check_compares_two_days(run, connections, tmp_path):
    connections("db", f"sqlite:///{tmp_path}/x.db")
    engine = create_engine(f"sqlite:///{tmp_path}/x.db")
    with engine.begin() as connection:
        connection.execute(text("create table sales (ds text, amount int)"))
        connection.execute(text("insert into sales values ('2026-01-24', 10), ('2026-01-31', 15)"))
    engine.dispose()
    settings = {"table": "sales", "metrics_thresholds": {"SUM(amount)": 1.6}}
    run(made(SQLIntervalCheckOperator, **settings), "t")
    settings["metrics_thresholds"]["SUM(amount)"] = 1.4
    with pytest.raises(AirflowException, match=r"SUM\(amount\) is 1\.5, not below 1\.4"):
        run(made(SQLIntervalCheckOperator, **settings), "t")
    with pytest.raises(DagError, match="ratio_formula must be max_over_min or relative_diff"):
        made(SQLIntervalCheckOperator, **settings, ratio_formula="x")


@pytest.mark.postgres
def test_a_statement_that_runs_can_be_ended_from_elsewhere(connections, postgres_url):
    connections("db", postgres_url)
    hook = SqlHook("db")
    ended = threading.Event()

    def end() -> None:
        while not ended.wait(0.01):
            hook.cancel()

    thread = threading.Thread(target=end)
    thread.start()
    with pytest.raises(SqlError, match="canceling statement due to user request"):
        hook.run("select pg_sleep(60)")
    ended.set()
    thread.join()
