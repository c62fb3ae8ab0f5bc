"""Variables, connections and pushed values in a real home; and that no secret is written anywhere but encrypted."""

import sqlite3
from collections.abc import Iterator

import msgspec
import pytest

from orchestrator.testing.home import LiveHome

TOKEN, PASSWORD, PRIVATE = "planted-token-4711", "planted pass/word?42", "planted-private-key-0815"
VARIABLE, URI, TOLD = "planted-environment-23", "planted-uri-password-42", "planted-and-told-99"
PLANTED = (TOKEN, PASSWORD, PRIVATE, VARIABLE, URI, TOLD, "planted%20pass%2Fword%3F42", "planted pass%2Fword%3F42")

SHOP = """
import logging
import os
import sys

from orchestrator import DAG, AirflowSkipException, BaseHook, Connection, Variable, mask_secret, task
from orchestrator.operators import BashOperator

TOWN = Variable.get("town", default="nowhere")

def call_back(context):
    print("called back with", Variable.get("door_password"), Connection.get("lake").password)
    raise RuntimeError("no call with " + Variable.get("api_token"))


with DAG("shop", tags=[TOWN]):

    @task
    def speak(ti=None):
        token, db = Variable.get("api_token"), Connection.get("warehouse")
        print("token", token)
        print(db.get_uri(), db.extra_dejson)
        logging.getLogger("shop").warning("the key is %s", db.extra_dejson["private_key"])
        os.write(1, f"raw {db.password}\\n".encode())
        os.system(f"echo '{token}'")
        Variable.set("seen", token[:7])
        ti.xcom_push("rows", [1, 2])
        return {"town": TOWN, "host": db.host, "names": 3}

    @task
    def die():
        os.write(2, ("last words: " + Connection.get("warehouse").password).encode())
        os._exit(1)

    @task(retries=0, on_failure_callback=call_back)
    def surroundings():
        told = "".join(["planted-", "and-told-99"])
        mask_secret(told)
        print("told", told, Variable.get("door_password"), Connection.get("lake").password)
        raise ValueError(" ".join([told, Variable.get("door_password"), Connection.get("lake").get_uri()]))

    @task(retries=0)
    def fail():
        raise ValueError("cannot log in as " + BaseHook.get_connection("warehouse").password)

    @task
    def skip():
        raise AirflowSkipException("no work with " + Variable.get("api_token"))

    @task
    def pull(rows, ti=None):
        pushed, part = ti.xcom_pull("speak", key="rows"), ti.xcom_pull("speak", key="names")
        return [rows, pushed, part, ti.xcom_pull("nobody", default=0)]

    told = speak()
    show = BashOperator(
        task_id="show",
        bash_command="echo {{ conn.warehouse.password }} {{ var.value.api_token }}; echo {{ var.json.limits.rows }}",
        env={"TOKEN": "{{ var.value.get('api_token') }}"},
    )
    told >> [die(), fail(), surroundings(), skip(), pull(told["rows"]), show]
"""
BROKEN = """
from orchestrator import DAG, Connection, Variable

print("at parse", Variable.get("api_token"))
raise RuntimeError(Connection.get("warehouse").password)
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    """A running home in which the shop has run."""
    environment = {"ORCHESTRATOR_VAR_DOOR_PASSWORD": VARIABLE, "AIRFLOW_CONN_LAKE": f"mysql://me:{URI}@lake/db"}
    with LiveHome(tmp_path_factory.mktemp("secrets"), environment=environment) as home:
        said(home, "db", "migrate")
        said(home, "variables", "set", "api_token", TOKEN)
        said(home, "variables", "set", "limits", '{"rows": 7}')
        extra = msgspec.json.encode({"private_key": PRIVATE, "region": "north"}).decode()
        fields = ["--conn-type", "postgres", "--conn-host", "db", "--conn-password", PASSWORD, "--conn-extra", extra]
        said(home, "connections", "add", "warehouse", *fields)
        home.write_dag("shop.py", SHOP)
        home.write_dag("broken.py", BROKEN)
        home.start()
        home.wait_for("it is listed", lambda: home.lists("shop"))
        home.run("dags", "trigger", "shop", "--run-id", "one", "--wait", timeout=100)
        home.wait_for(
            "the broken file is told of", lambda: "broken.py" in home.run("dags", "list-import-errors").stdout
        )
        yield home


def said(home: LiveHome, *words: str) -> str:
    done = home.run(*words)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_values_come_from_where_they_were_left(home: LiveHome) -> None:
    assert msgspec.json.decode(said(home, "tasks", "result", "shop", "pull", "one")) == [[1, 2], [1, 2], 3, 0]
    assert msgspec.json.decode(said(home, "tasks", "result", "shop", "show", "one")) == "7"
    assert said(home, "variables", "get", "seen") == "planted\n"
    shown = msgspec.json.decode(said(home, "tasks", "xcom", "shop", "speak", "one", "-o", "json"))
    assert [row["key"] for row in shown] == ["return_value", "rows"]
    assert shown[1]["value"] == [1, 2]


def test_no_planted_secret_is_in_any_table_file_or_answer(home: LiveHome) -> None:
    commands = [
        ("runs", "history", "shop", "one", "-o", "json"),
        ("runs", "show", "shop", "one"),
        ("runs", "why", "shop", "one"),
        ("tasks", "logs", "shop", "speak", "one"),
        ("tasks", "logs", "shop", "fail", "one"),
        ("tasks", "logs", "shop", "die", "one"),
        ("tasks", "logs", "shop", "surroundings", "one"),
        ("tasks", "logs", "shop", "surroundings", "one", "--callback", "on_failure"),
        ("tasks", "render", "shop", "show", "one", "-o", "json"),
        ("dags", "list-import-errors", "-o", "json"),
        ("connections", "list", "-o", "json"),
        ("connections", "get", "warehouse", "-o", "json"),
        ("variables", "list", "--show-values", "-o", "json"),
    ]
    written = {" ".join(words): said(home, *words).encode() for words in commands}
    assert b"***" in written["tasks logs shop speak one"]
    assert b"last words: ***" in written["tasks logs shop die one"]
    assert b"told *** *** ***" in written["tasks logs shop surroundings one"]
    assert b"called back with *** ***" in written["tasks logs shop surroundings one --callback on_failure"]
    assert written["tasks render shop show one -o json"].count(b"***") == 3
    with sqlite3.connect(home.folder / "orchestrator.db") as database:
        tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        assert "xcoms" in tables
        for table in tables:
            written[table] = repr(database.execute(f"SELECT * FROM {table}").fetchall()).encode()
    database.close()
    written |= {str(path): path.read_bytes() for path in home.folder.rglob("*") if path.is_file()}
    assert [(place, word) for place, data in written.items() for word in PLANTED if word.encode() in data] == []


def test_a_variable_that_a_file_has_read_at_parse_makes_a_new_version_of_it(home: LiveHome) -> None:
    assert '"nowhere"' in said(home, "dags", "details", "shop", "-o", "json")
    said(home, "variables", "set", "town", "Oslo")
    home.wait_for("it is read again", lambda: '"Oslo"' in said(home, "dags", "details", "shop", "-o", "json"))


def test_a_dag_is_rehearsed_with_the_variables_of_its_home(home: LiveHome) -> None:
    done = home.run("tasks", "test", "shop", "fail", "-o", "json")
    assert "cannot log in as ***" in done.stdout
    assert PASSWORD not in done.stdout + done.stderr
    done = home.run("tasks", "test", "shop", "speak")
    assert "token ***" in done.stdout
    assert PRIVATE not in done.stdout + done.stderr
