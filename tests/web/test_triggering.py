"""The form that starts a run."""

import json
import re
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from fastapi.testclient import TestClient

from orchestrator.assembly.home import Home
from orchestrator.core.spec import DagSpec, Entrance
from orchestrator.names import DagKind, RunType
from orchestrator.web.views.form_fields import Field, fields_of, filled_in
from tests.cli.homes import FilledHome, order

Browser = Callable[..., TestClient]
SCHEMAS: dict[str, dict[str, Any]] = {
    "name": {"type": "string", "minLength": 2, "description": "Who <i>asks</i>"},
    "count": {"type": "integer", "minimum": 1},
    "share": {"type": "number"},
    "full": {"type": "boolean"},
    "region": {"enum": ["eu", 7, None]},
    "columns": {"type": "array", "items": {"type": "string"}},
    "chosen": {"type": "array", "examples": ["a", "b"]},
    "options": {"type": "object"},
    "day": {"type": "string", "format": "date"},
    "at": {"type": "string", "format": "date-time"},
    "text": {"type": "string", "format": "multiline"},
    "limit": {"type": ["null", "integer"]},
}
DEFAULTS: dict[str, Any] = {
    "name": "ada",
    "count": 3,
    "share": 0.5,
    "full": True,
    "region": "eu",
    "columns": ["id"],
    "chosen": ["a"],
    "options": {"a": 1},
    "day": "2026-01-31",
    "at": "2026-01-31T06:00:00Z",
    "text": "x\ny",
    "limit": None,
}
SPEC = order(dag_id="form", file="form.py", params=DEFAULTS, param_schemas=SCHEMAS)


def as_sent(fields: list[Field]) -> dict[str, list[str]]:
    """What a browser sends of a form that nobody has touched."""
    sent: dict[str, list[str]] = {}
    for field in fields:
        if field.kind == "checkbox":
            values = ["true"] if field.checked else []
        elif field.options:
            values = [value for value, _, chosen in field.options if chosen]
        else:
            values = [field.value.replace("\n", "\r\n")]
        if values:
            sent[field.sent_as] = values
    return sent


def test_each_type_has_its_field() -> None:
    assert {field.name: field.kind for field in fields_of(SPEC)} == {
        "name": "text",
        "count": "number",
        "share": "number",
        "full": "checkbox",
        "region": "select",
        "columns": "lines",
        "chosen": "many",
        "options": "json",
        "day": "date",
        "at": "datetime-local",
        "text": "multiline",
        "limit": "number",
    }


def test_a_form_that_nobody_has_touched_changes_nothing() -> None:
    fields, values = filled_in(SPEC, as_sent(fields_of(SPEC)))
    assert (values, [field.name for field in fields if field.error]) == ({}, [])


@pytest.mark.parametrize(
    ("name", "sent", "value"),
    [
        ("name", ["bob"], "bob"),
        ("count", ["12"], 12),
        ("share", ["2"], 2),
        ("share", ["-1e-3"], -0.001),
        ("full", [], False),
        ("region", ["1"], 7),
        ("region", ["2"], None),
        ("columns", ["id\r\n\r\n amount"], ["id", " amount"]),
        ("columns", [""], []),
        ("chosen", ["a", "b"], ["a", "b"]),
        ("options", ['{"b": [1]}'], {"b": [1]}),
        ("day", ["2026-02-01"], "2026-02-01"),
        ("at", ["2026-02-01T07:30"], "2026-02-01T07:30:00Z"),
        ("text", ["a\r\nb"], "a\nb"),
        ("limit", ["5"], 5),
    ],
)
def test_what_is_filled_in_becomes_json_of_its_type(name: str, sent: list[str], value: object) -> None:
    fields, values = filled_in(SPEC, as_sent(fields_of(SPEC)) | {f"param.{name}": sent})
    assert (values, [field.error for field in fields if field.error]) == ({name: value}, [])


@pytest.mark.parametrize(
    ("name", "sent", "said"),
    [
        ("name", "x", "too short"),
        ("count", "", "filled in"),
        ("count", "0", "minimum"),
        ("count", "1.5", "whole number"),
        ("share", "NaN", "not JSON"),
        ("share", "1e999", "not JSON"),
        ("share", "true", "number"),
        ("region", "9", "choose one"),
        ("options", "{", "not JSON"),
        ("options", "[1]", "object"),
        ("options", '{"a": "\\ud800"}', "half a character"),
        ("options", "[" * 20_000, "nested"),
        ("day", "yesterday", "date"),
        ("limit", "x", "whole number"),
    ],
)
def test_what_does_not_fit_is_told_beside_its_field(name: str, sent: str, said: str) -> None:
    fields, _ = filled_in(SPEC, as_sent(fields_of(SPEC)) | {f"param.{name}": [sent]})
    wrong = {field.name: field.error for field in fields if field.error}
    assert list(wrong) == [name]
    assert said in wrong[name]
    assert next(field for field in fields if field.name == name).value == sent


def test_the_parameters_of_a_workflow_are_fields_too() -> None:
    entrance = Entrance(
        name="w",
        schema={
            "type": "object",
            "properties": {"item": {"type": "string"}, "n": {"type": "integer", "default": 1}},
            "required": ["item"],
        },
    )
    spec = DagSpec(dag_id="w", kind=DagKind.WORKFLOW, entrance=entrance)
    assert [(field.name, field.kind, field.needed, field.value) for field in fields_of(spec)] == [
        ("item", "text", True, ""),
        ("n", "number", False, "1"),
    ]
    fields, _ = filled_in(spec, {"param.item": [""], "param.n": ["1"]})
    assert [field.error for field in fields] == ["this has to be filled in", ""]


@pytest.fixture
def home(site: object, filled: FilledHome) -> Home:
    filled.add_dag(SPEC)
    found: Home = site.state.home  # type: ignore[attr-defined]
    return found


def send(client: TestClient, dag_id: str = "form", **fields: Any) -> Any:
    sent = as_sent(fields_of(SPEC)) if dag_id == "form" else {}
    return client.post(f"/dags/{dag_id}/trigger", data=sent | fields)


def test_a_run_is_started_with_what_was_filled_in(home: Home, browser: Browser) -> None:
    answer = send(
        browser("user"), **{"param.count": "7", "run_id": "mine", "note": "by hand", "logical_date": "2026-01-31T06:00"}
    )
    assert (answer.status_code, answer.headers["x-go-to"]) == (204, "/dags/form/runs/mine")
    run = home.reads.run("form", "mine")
    assert (run.is_pending, run.note, run.triggered_by) == (True, "by hand", "session:user")
    assert str(run.logical_date) == "2026-01-31 06:00:00+00:00"
    assert json.loads(bytes(home.reads.conf(run))) == {"count": 7}


def test_keys_of_the_json_go_before_the_fields(home: Home, browser: Browser) -> None:
    answer = send(browser("user"), run_id="mine", conf='{"count": 9, "more": [1]}', **{"param.count": "x"})
    assert answer.status_code == 204, answer.text
    assert json.loads(bytes(home.reads.conf(home.reads.run("form", "mine")))) == {"count": 9, "more": [1]}


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"param.count": "0"}, "minimum"),
        ({"conf": "[1]"}, "write a JSON object"),
        ({"conf": '{"count": "x"}'}, "count"),
        ({"run_id": "../x"}, "may hold letters"),
        ({"run_id": "<script>"}, "may hold letters"),
        ({"logical_date": "soon"}, "this is no date"),
        ({"note": "x" * 1001}, "longer than"),
    ],
)
def test_a_form_that_will_not_do_comes_back_with_what_was_typed(
    home: Home, browser: Browser, fields: dict[str, str], said: str
) -> None:
    answer = send(browser("user"), **fields)
    assert answer.status_code == 422
    assert said in answer.text
    assert "<script>" not in answer.text
    assert 'aria-invalid="true"' in answer.text or 'role="alert"' in answer.text
    assert home.reads.runs("form") == []


def test_what_is_wrong_with_one_field_is_told_there_alone(home: Home, browser: Browser) -> None:
    text = send(browser("user"), **{"param.count": "0"}).text
    assert text.count("minimum") == 1
    assert 'role="alert"' not in text


def test_one_form_makes_one_run_however_often_it_is_sent(home: Home, browser: Browser) -> None:
    client = browser("user")
    (key,) = re.findall(r'name="key" value="([^"]+)"', client.get("/dags/form/trigger").text)
    for _ in range(2):
        assert send(client, key=key).status_code == 204
    assert len(home.reads.runs("form")) == 1
    other = send(browser("operator"), key=key)
    assert other.status_code == 204
    assert len(home.reads.runs("form")) == 2


def test_a_run_id_that_is_taken_is_told(home: Home, browser: Browser) -> None:
    client = browser("user")
    assert send(client, run_id="mine").status_code == 204
    answer = send(client, run_id="mine")
    assert answer.status_code == 422
    assert "choose another run id" in answer.text


def test_who_may_not_start_runs_is_told_so(home: Home, browser: Browser) -> None:
    assert "not start runs" in browser("viewer").get("/dags/form/trigger").text
    assert send(browser("viewer")).status_code == 403
    assert browser("foreigner").get("/dags/form/trigger").status_code == 404
    assert home.reads.runs("form") == []


def test_a_dag_that_cannot_be_run_says_why(home: Home, filled: FilledHome, browser: Browser) -> None:
    filled.add_dag(
        msgspec.structs.replace(SPEC, dag_id="other", file="other.py", allowed_run_types=(RunType.SCHEDULED,))
    )
    filled.remove_file("form.py")
    assert "is gone" in browser().get("/dags/form/trigger").text
    assert "has no manual runs" in browser().get("/dags/other/trigger").text


def test_what_a_schema_says_is_text(home: Home, browser: Browser) -> None:
    text = browser().get("/dags/form/trigger").text
    assert "Who &lt;i&gt;asks&lt;/i&gt;" in text


@pytest.mark.parametrize("body", [b"\xff\xfe", b"a=%ff", b"&".join(b"a=1" for _ in range(2000))])
def test_a_body_that_is_no_form_is_refused(home: Home, browser: Browser, body: bytes) -> None:
    answer = browser("user").post("/dags/form/trigger", content=body, headers={"x-fragment": "1"})
    assert answer.status_code == 400


def test_a_run_is_triggered_once_more_with_what_another_was_given(browser: Browser, filled: FilledHome) -> None:
    filled.add_dag(SPEC)
    filled.begin("form", "before", conf={"count": 41, "columns": ["a", "b"], "extra": [1]})
    text = browser("user").get("/dags/form/trigger?like=before").text
    assert 'value="41"' in text
    assert re.search(r'<textarea id="param.columns"[^>]*>a\nb</textarea>', text)
    assert re.search(r'<textarea id="conf"[^>]*>{\n  &#34;extra&#34;', text)
    assert 'value="ada"' in text
    assert browser("user").get("/dags/form/trigger?like=another").status_code == 404
