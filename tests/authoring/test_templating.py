"""What templates see, and how a wrong one is reported."""

from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from orchestrator import DAG, AirflowSkipException, BaseOperator
from orchestrator.authoring.compiling import Defaults, compile_dag
from orchestrator.exceptions import DagError, TemplateError
from orchestrator.operators import EmptyOperator


class Show(BaseOperator):
    template_fields = ("value",)
    template_ext = (".sql",)

    def __init__(self, *, value, **kwargs):
        super().__init__(**kwargs)
        self.value = value

    def execute(self, context):
        return self.value


def shown(run, value, *, fields=None, results=None, conf=None, **settings):
    with DAG("d", **settings) as dag:
        EmptyOperator(task_id="before")
        Show(task_id="show", value=value, params={"own": "task"})
    return run(dag, "show", results=results, conf=conf, **(fields or {}))


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("plain", "plain"),
        ("{{ ds }}", "2026-01-31"),
        ("{{ ds_nodash }}", "20260131"),
        ("{{ ts }}", "2026-01-31T06:30:00+00:00"),
        ("{{ ts_nodash }}", "20260131T063000"),
        ("{{ ts_nodash_with_tz }}", "20260131T063000+0000"),
        ("{{ logical_date.year }}", "2026"),
        ("{{ data_interval_start }}", "2026-01-31 06:30:00+00:00"),
        ("{{ data_interval_end | ds }}", "2026-01-31"),
        ("{{ logical_date | ts_nodash }}", "20260131T063000"),
        ("{{ none | ds }}", "None"),
        ("{{ run_id }}", "manual__2026-01-31T06:30:00+00:00"),
        ("{{ dag.dag_id }}.{{ task.task_id }}", "d.show"),
        ("{{ dag_run.run_type }} {{ dag_run.conf.x }}", "manual 1"),
        ("{{ ti.try_number }} {{ task_instance.map_index }}", "1 -1"),
        ("{{ task_instance_key_str }}", "d__show__20260131"),
        ("{{ params.p }} {{ params.own }} {{ params.x }}", "dag task 1"),
        ("{{ idempotency_key }}", "uid/show/-1/1"),
        ("{{ macros.ds_add(ds, 5) }}", "2026-02-05"),
        ("{{ macros.ds_add(ds, -31) }}", "2025-12-31"),
        ("{{ macros.ds_format(ds, '%Y-%m-%d', '%d/%m/%y') }}", "31/01/26"),
        ("{{ logical_date + macros.timedelta(days=1) }}", "2026-02-01 06:30:00+00:00"),
        ("{{ macros.datetime(2026, 1, 2) | ds }}", "2026-01-02"),
        ("{{ macros.json.dumps({'a': 1}) }}", '{"a": 1}'),
        ("{{ macros.dateutil.parser.parse('Thu Sep 26 10:36:28 2019') | ds }}", "2019-09-26"),
        ("{{ ti.xcom_pull(task_ids='before') }}", "the result"),
        ("{{ ti.xcom_pull('before') }}", "the result"),
        ("{{ task_instance.xcom_pull(task_ids=['before']) }}", "['the result']"),
        ("{{ ti.xcom_pull(task_ids='before', key='return_value') }}", "the result"),
        ("{% set x = [] %}{% do x.append(1) %}{{ x }}", "[1]"),
        ("{{ shout(greeting) }} {{ 'x' | twice }}", "HELLO! xx"),
        ("one line\n", "one line"),
        ("{# a comment #}x", "x"),
    ],
)
def test_a_template_renders_as_in_airflow(run, template, text):
    found = shown(
        run,
        template,
        results={"before": "the result"},
        conf={"x": 1},
        params={"p": "dag", "x": 0},
        user_defined_macros={"greeting": "hello", "shout": lambda word: word.upper() + "!"},
        user_defined_filters={"twice": lambda word: word * 2},
    )
    assert found == text


def test_templates_are_rendered_at_any_depth_and_nothing_else_is_touched(run):
    class Pair(NamedTuple):
        left: str
        right: object

    class Nested:
        template_fields = ("inner",)

        def __init__(self):
            self.inner = ["{{ ds }}"]
            self.other = "{{ ds }}"

    nested, thing = Nested(), object()
    value = {"{{ ds }}": [("{{ ds }}", 1), Pair("{{ ds }}", None)], "set": {"{{ ds }}"}, "thing": thing, "deep": nested}
    found = shown(run, value)
    day = "2026-01-31"
    assert found["{{ ds }}"] == [(day, 1), Pair(day, None)]
    assert isinstance(found["{{ ds }}"][1], Pair)
    assert found["set"] == {day}
    assert found["thing"] is thing
    assert (found["deep"].inner, found["deep"].other) == ([day], "{{ ds }}")
    assert nested.inner == ["{{ ds }}"]


def test_the_authors_task_stays_as_it_is_however_often_it_runs(run):
    with DAG("d") as dag:
        task = Show(task_id="show", value=["{{ ds }}"])
    for day in (1, 2):
        assert run(dag, "show", logical_date=datetime(2026, 1, day, tzinfo=UTC)) == [f"2026-01-0{day}"]
    assert task.value == ["{{ ds }}"]


def test_native_rendering_gives_pythons_own_types(run):
    assert shown(run, "{{ [1, params.n] }}", params={"n": 2}, render_template_as_native_obj=True) == [1, 2]


@pytest.mark.parametrize(("of_dag", "of_task", "result"), [(False, True, [1, 2]), (True, False, "[1, 2]")])
def test_a_task_may_say_how_its_own_templates_render(run, of_dag, of_task, result):
    with DAG("d", render_template_as_native_obj=of_dag) as dag:
        Show(task_id="own", value="{{ [1, 2] }}", render_template_as_native_obj=of_task)
        Show(task_id="other", value="{{ [1, 2] }}")
    assert run(dag, "own") == result
    assert run(dag, "other") == ([1, 2] if of_dag else "[1, 2]")


def test_native_rendering_gives_what_a_task_returned(run):
    pulled = "{{ ti.xcom_pull(task_ids='before')['rows'] }}"
    found = shown(run, pulled, results={"before": {"rows": [1, None]}}, render_template_as_native_obj=True)
    assert found == [1, None]


def test_a_result_in_an_f_string_is_a_part_of_it_or_what_was_pushed_under_that_key(run):
    with DAG("d") as dag:
        before = EmptyOperator(task_id="before")
        Show(task_id="show", value=f"{before.output['rows']} of {before.output['n']['all']}: {before.output}")
    assert run(dag, "show", results={"before": {"rows": 3, "n": {"all": 4}}}) == "3 of 4: {'rows': 3, 'n': {'all': 4}}"
    assert str(before.output["rows"]) == "{{ ti.xcom_pull(task_ids='before', key='rows') }}"
    assert shown(run, "{{ [1, params.n] }}", params={"n": 2}) == "[1, 2]"


def test_conf_goes_before_params_of_the_task_and_those_before_the_dags(run):
    assert shown(run, "{{ params.own }}", params={"own": "dag"}) == "task"
    assert shown(run, "{{ params.own }}", params={"own": "dag"}, conf={"own": "conf"}) == "conf"


# ── files ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_field_may_name_a_template_file_which_may_include_others(run, tmp_path):
    (tmp_path / "load.sql").write_text("-- {{ ds }}\n{% include 'where.sql' %}")
    (tmp_path / "where.sql").write_text("where n = {{ ti.xcom_pull('before') }}")
    with DAG("d", template_searchpath=str(tmp_path)) as dag:
        EmptyOperator(task_id="before")
        Show(task_id="show", value="load.sql")
    assert run(dag, "show", results={"before": 3}) == "-- 2026-01-31\nwhere n = 3"
    assert compile_dag(dag, file="x.py", defaults=Defaults()).task("show").inputs == ("before",)


def test_a_template_file_beside_the_dag_file_is_found(run, tmp_path):
    (tmp_path / "one.sql").write_text("{{ ds }}")
    source = tmp_path / "etl.py"
    source.write_text("with DAG('d') as dag:\n    Show(task_id='show', value=['one.sql'])\n")
    namespace = {"DAG": DAG, "Show": Show}
    exec(compile(source.read_text(), str(source), "exec"), namespace)
    assert run(namespace["dag"], "show") == ["2026-01-31"]


def test_a_missing_template_file_is_reported_when_the_dag_is_compiled():
    with DAG("d", template_searchpath="/sql") as dag:
        task = Show(task_id="show", value="nowhere.sql")
    with pytest.raises(TemplateError, match=r"there is no template file 'nowhere\.sql' in") as caught:
        compile_dag(dag, file="x.py", defaults=Defaults())
    assert "/sql; put a space at the end if it is no file" in str(caught.value)
    assert (caught.value.task_id, caught.value.field) == ("show", "value")
    assert (caught.value.file, caught.value.line) == task.place


# ── errors ───────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("template", "line", "words"),
    [
        ("a\n{{ nowhere }}", 2, "'nowhere' is undefined"),
        ("{{ params.nowhere }}", 1, "'dict object' has no attribute 'nowhere'"),
        ("a\nb\n{{ 1/0 }}", 3, "ZeroDivisionError: division by zero"),
        ("a\n{{ ds", 2, "unexpected end of template"),
        ("{% if %}", 1, "Expected an expression"),
        ("\n{{ ds | nowhere }}", 2, "No filter named 'nowhere'"),
        ("{{ ''.__class__ }}", 1, "unsafe"),
        ("{{ ti.xcom_pull(task_ids=run_id) }}", 1, "no runs are recorded here, so what 'manual__"),
        ("{% include 'nowhere.sql' %}", 1, "there is no template file 'nowhere.sql'"),
    ],
)
def test_an_error_names_the_task_the_field_the_line_and_the_reason(run, template, line, words):
    with pytest.raises(TemplateError) as caught:
        shown(run, template)
    error = caught.value
    assert words in error.message
    assert error.message.startswith("task 'show', field 'value'")
    assert error.file == str(Path(__file__))
    assert error.template_line in (line, None)
    if "include" not in template:
        assert error.template_line == line
        assert f"line {line} of the template" in error.message


def test_an_error_in_a_template_file_names_the_file(run, tmp_path):
    (tmp_path / "a.sql").write_text("\n\n{{ nowhere }}")
    with pytest.raises(TemplateError, match=r"line 3 of .*a\.sql: 'nowhere' is undefined"):
        shown(run, "a.sql", template_searchpath=tmp_path)


def test_a_run_without_a_logical_date_has_no_words_for_it_and_says_so(run):
    fields = {"logical_date": None, "data_interval_start": None, "data_interval_end": None}
    assert shown(run, "{{ run_id }}", fields=fields).startswith("manual__")
    with pytest.raises(TemplateError, match="'ds' is undefined, because this run has no logical date"):
        shown(run, "{{ ds }}", fields=fields)


def test_a_macro_may_skip_the_task(run):
    def skip():
        raise AirflowSkipException("not today")

    with pytest.raises(AirflowSkipException, match="not today"):
        shown(run, "{{ skip() }}", user_defined_macros={"skip": skip})


def test_a_template_that_pulls_from_a_task_that_is_not_there_is_refused():
    with DAG("d") as dag:
        EmptyOperator(task_id="extract")
        Show(task_id="show", value="{{ ti.xcom_pull(task_ids='extrct') }}")
    with pytest.raises(DagError, match="pulls the result of 'extrct', which DAG 'd' does not have; did you mean"):
        compile_dag(dag, file="x.py", defaults=Defaults())


def test_pulling_in_a_template_takes_the_result_and_draws_no_edge():
    with DAG("d") as dag:
        EmptyOperator(task_id="extract")
        Show(task_id="show", value=["{{ ti.xcom_pull(task_ids='extract') }}"])
    spec = compile_dag(dag, file="x.py", defaults=Defaults()).task("show")
    assert (spec.inputs, spec.upstream) == (("extract",), ())


def test_a_syntax_error_in_a_pulling_template_is_found_when_the_dag_is_compiled():
    with DAG("d") as dag:
        Show(task_id="show", value="\n{{ ti.xcom_pull(task_ids='a' }}")
    with pytest.raises(TemplateError, match="task 'show', field 'value', line 2 of the template"):
        compile_dag(dag, file="x.py", defaults=Defaults())


def test_a_word_of_airflow_that_is_not_there_is_said_to_be_so(run):
    with pytest.raises(TemplateError, match="the context has no prev_start_date_success here; keep what the next run"):
        shown(run, "{{ prev_start_date_success }}")
