"""``orchestrator dags trigger``."""

import pytest

from orchestrator.core.requests import TriggerRun
from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.names import DagKind, RunType
from tests.cli.homes import FilledHome, order, run_command
from tests.cli.test_runs import asked


def test_a_run_is_queued_whether_a_scheduler_runs_or_not(shop: FilledHome) -> None:
    said = run_command("dags", "trigger", "order_1001", "--conf", '{"amount": 42}', "-o", "json")
    assert said.json["dag_id"] == "order_1001"
    assert said.json["state"] == "queued"
    assert said.json["run_id"].startswith("manual__2")
    assert said.json["conf"] == {"amount": 42}
    assert "No scheduler is running" in said.err
    (request,) = asked(shop)
    assert isinstance(request, TriggerRun)
    assert request.run_id == said.json["run_id"]
    assert bytes(request.conf) == b'{"amount":42}'


def test_a_queued_run_is_seen_at_once(shop: FilledHome) -> None:
    run_command("dags", "trigger", "order_1001", "--run-id", "mine")
    shown = run_command("runs", "show", "order_1001", "-o", "json").json
    assert (shown["run_id"], shown["state"]) == ("mine", "queued")
    assert [task["state"] for task in shown["tasks"]] == ["none"] * 4


def test_the_run_id_is_made_of_the_logical_date(shop: FilledHome) -> None:
    run = run_command("dags", "trigger", "order_1001", "--logical-date", "2026-03-01T12:00:00+02:00", "-o", "json").json
    assert run["run_id"] == "manual__2026-03-01T10:00:00+00:00"
    assert run["logical_date"] == "2026-03-01T10:00:00Z"


def test_a_run_id_is_used_once(shop: FilledHome) -> None:
    run_command("dags", "trigger", "order_1001", "--run-id", "mine")
    said = run_command("dags", "trigger", "order_1001", "--run-id", "mine")
    assert said.status == 1
    assert "'mine'" in said.err


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ("{a", "not JSON: Expecting property name enclosed in double quotes at line 1, column 2"),
        ('{"a": 1,\n"b"}', "line 2, column 4"),
        ("[1]", "is a list"),
        ('"x"', "is a string"),
        ("null", "is null"),
        ("true", "is true or false"),
        ("1.5", "is a number"),
        ('{"a": NaN}', "NaN is no JSON number"),
        ("", "not JSON"),
    ],
)
def test_conf_that_is_no_json_object_is_refused_with_its_place(shop: FilledHome, conf: str, words: str) -> None:
    said = run_command("dags", "trigger", "order_1001", "--conf", conf)
    assert said.status == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert asked(shop) == []


@pytest.mark.parametrize("run_id", ["", "a/b", "two words", "x" * 251])
def test_a_run_id_with_strange_characters_is_refused(shop: FilledHome, run_id: str) -> None:
    said = run_command("dags", "trigger", "order_1001", "--run-id", run_id)
    assert said.status == 2
    assert asked(shop) == []


def test_a_dag_whose_file_is_gone_cannot_be_triggered(shop: FilledHome) -> None:
    shop.remove_file("order_1001.py")
    said = run_command("dags", "trigger", "order_1001")
    assert said.status == 1
    assert "its file order_1001.py is gone" in said.err


def test_an_unknown_dag_cannot_be_triggered(shop: FilledHome) -> None:
    said = run_command("dags", "trigger", "order_1002")
    assert said.status == 1
    assert "'order_1001'" in said.err


def test_a_paused_dag_can_be_triggered(shop: FilledHome) -> None:
    run_command("dags", "pause", "order_1001")
    assert run_command("dags", "trigger", "order_1001").status == 0


def test_a_dag_whose_file_is_broken_runs_in_its_last_good_version_and_says_so(shop: FilledHome) -> None:
    shop.break_file("order_1001.py", "SyntaxError: invalid syntax", 3)
    said = run_command("dags", "trigger", "order_1001")
    assert said.status == 0
    assert "last good version" in said.err


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ('{"a": ' * 5000 + "1" + "}" * 5000, "nested too deeply"),
        ('{"a": "\\ud800"}', "half a character"),
        ('{"a": 1e999}', "1e999 is larger than any number"),
        ('{"a": -Infinity}', "-Infinity is no JSON number"),
    ],
    ids=["deep", "surrogate", "infinite", "constant"],
)
def test_a_conf_that_cannot_be_recorded_as_it_is_is_refused(shop: FilledHome, conf: str, words: str) -> None:
    said = run_command("dags", "trigger", "order_1001", "--conf", conf)
    assert said.status == 2
    assert words in said.err
    assert said.err.count("\n") == 1
    assert asked(shop) == []


@pytest.mark.parametrize(
    ("conf", "words"),
    [
        ('{"ordr": "o1"}', "the workflow 'flow' (flows.py:3) has no parameter 'ordr'; did you mean 'order'?"),
        ("{}", "needs 'order', which is missing"),
        ('{"order": 1}', "1 is not of type 'string' (in order)"),
    ],
)
def test_a_conf_that_a_workflow_does_not_take_is_refused_before_there_is_a_run(
    shop: FilledHome, conf: str, words: str
) -> None:
    schema = {
        "type": "object",
        "properties": {"order": {"type": "string"}},
        "required": ["order"],
        "additionalProperties": False,
    }
    entrance = Entrance(name="flow", schema=schema)
    shop.add_dag(DagSpec(dag_id="flow", kind=DagKind.WORKFLOW, file="flows.py", line=3, entrance=entrance))
    said = run_command("dags", "trigger", "flow", "--conf", conf)
    assert said.status == 2
    assert words in said.err
    assert list(asked(shop)) == []
    assert run_command("dags", "trigger", "flow", "--conf", '{"order": "o1"}').status == 0


def test_a_conf_that_does_not_fit_a_param_is_refused_before_there_is_a_run(home: FilledHome) -> None:
    schemas = {"rows": {"type": "integer", "minimum": 1}, "day": {"type": "string"}}
    home.add_dag(DagSpec(dag_id="load", file="load.py", params={"rows": 3}, param_schemas=schemas))
    said = run_command("dags", "trigger", "load", "--conf", '{"day": "x", "rows": "many"}')
    assert (said.status, "param 'rows' of DAG 'load'" in said.err) == (2, True)
    said = run_command("dags", "trigger", "load")
    assert (said.status, "param 'day' of DAG 'load' (load.py:0) is missing" in said.err) == (2, True)
    assert asked(home) == []
    assert run_command("dags", "trigger", "load", "--conf", '{"day": "x"}').status == 0


def test_a_run_that_the_dag_does_not_have_is_refused_before_it_is_asked_for(home: FilledHome) -> None:
    home.add_dag(order(allowed_run_types=(RunType.SCHEDULED,)))
    said = run_command("dags", "trigger", "order_1001")
    assert said.status == 1
    assert "DAG 'order_1001' has no manual runs: its allowed_run_types are scheduled" in said.err
