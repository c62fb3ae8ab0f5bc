"""What operators of an author's own do by hand: skip what comes after, link to elsewhere, take values as they are."""

import asyncio

import jinja2
import pytest

from orchestrator import (
    DAG,
    BaseAsyncOperator,
    BaseNotifier,
    BaseOperator,
    BaseOperatorLink,
    BranchMixIn,
    Context,
    SkipMixin,
    TaskGroup,
    literal,
    task,
)
from orchestrator.authoring.assets import Asset, Metadata
from orchestrator.authoring.context import DagRun, TaskInstance
from orchestrator.authoring.links import push_links
from orchestrator.exceptions import DagError, UsageError
from orchestrator.names import RunType
from orchestrator.operators import BashOperator, EmptyOperator


class Chooser(BaseOperator, BranchMixIn):
    def execute(self, context):
        return self.do_branch(context, (name for name in ("left",)))


class Stopper(SkipMixin, BaseOperator):
    def __init__(self, *, names, **settings):
        super().__init__(**settings)
        self.names = names

    def execute(self, context):
        self.skip(context["ti"], [self.dag.get_task(name) for name in self.names])
        return "stopped"


def context_of(dag: DAG, made: BaseOperator, pushed: dict[str, object]) -> Context:
    class Kept:
        def push(self, key, value):
            pushed[key] = value

    run = DagRun(dag.dag_id, "one", "u", RunType.MANUAL, None, None, None, None, {})
    instance = TaskInstance(made, run, -1, 2, 2, exchange=Kept())
    return Context(dag=dag, dag_run=run, task=made, ti=instance, params={})


def test_a_mix_in_branches_as_a_branch_does():
    with DAG("d") as dag:
        made = Chooser(task_id="choose")
        made >> [EmptyOperator(task_id="left"), EmptyOperator(task_id="right")]
    ready = made.prepare(context := context_of(dag, made, {}), {})
    assert ready.skips(ready.execute(context)) == ("right",)
    assert made.skips(None) == (), "what one attempt has skipped is not the next one's"


def test_a_mix_in_skips_what_it_names_and_nothing_that_does_not_come_after_it():
    with DAG("d") as dag:
        made = Stopper(task_id="stop", names=["far"])
        wrong = Stopper(task_id="wrong", names=["stop"])
        made >> EmptyOperator(task_id="near") >> EmptyOperator(task_id="far")
    ready = made.prepare(context := context_of(dag, made, {}), {})
    assert ready.skips(ready.execute(context)) == ("far",)
    bad = wrong.prepare(context := context_of(dag, wrong, {}), {})
    with pytest.raises(UsageError, match="task 'wrong' cannot skip 'stop', which does not come after it"):
        bad.execute(context)


class Jobs(BaseOperatorLink):
    name = "Jobs"

    def get_link(self, operator, *, ti_key):
        return f"https://jobs/{ti_key.dag_id}/{ti_key.task_id}/{ti_key.run_id}/{ti_key.try_number}"


class Broken(Jobs):
    def get_link(self, operator, *, ti_key):
        raise LookupError("no job")


def test_a_links_url_is_pushed_and_one_that_cannot_be_made_fails_nothing(caplog):
    class Submit(EmptyOperator):
        operator_extra_links = (Broken(), Jobs())

    with DAG("d") as dag:
        made = Submit(task_id="submit")
    pushed = {}
    push_links(made, context_of(dag, made, pushed))
    assert pushed == {"_link_Jobs": "https://jobs/d/submit/one/2"}
    assert "The link Broken cannot be made: no job" in caplog.text


def test_a_literal_is_no_template_and_no_file(run):
    with DAG("d") as dag:
        BashOperator(task_id="say", bash_command=["printf", "%s", literal("{{ x }}.sh")])
        task(task_id="take")(lambda value: value)(literal({"a": "{{ x }}"}))
        BashOperator(task_id="whole", bash_command=literal("echo {{ x }}.sh"))
    assert run(dag, "say") == "{{ x }}.sh"
    assert run(dag, "whole") == "{{ x }}.sh"
    assert run(dag, "take") == {"a": "{{ x }}"}


def test_a_notifier_takes_a_literal_as_it_is():
    class Say(BaseNotifier):
        template_fields = ("text",)

        def __init__(self, text):
            super().__init__()
            self.text = text

    made = Say(literal("{{ x }}"))
    made.render_template_fields(Context())
    assert made.text == "{{ x }}"


def test_jinja_is_as_the_dag_wants_it(run):
    options = {"variable_start_string": "<<", "variable_end_string": ">>"}
    with DAG("d", jinja_environment_kwargs=options, template_undefined=jinja2.Undefined) as dag:
        task(task_id="t")(lambda a: a)("<< 1 + 1 >>{% if true %}<< nothing >>{% endif %}")
    assert run(dag, "t") == "2"
    with DAG("e", jinja_environment_kwargs={"no_such": 1}) as dag:
        task(task_id="t")(lambda a: a)("{{ 1 }}")
    with pytest.raises(DagError, match=r"jinja_environment_kwargs are not what Jinja takes: .*no_such"):
        run(dag, "t")
    with pytest.raises(DagError, match="template_undefined must be a class of jinja2"):
        DAG("f", template_undefined=str)


def test_a_function_with_a_yield_may_say_what_it_wrote_and_nothing_else(run):
    with DAG("d") as dag:

        @task
        def says():
            yield Metadata(Asset("orders"), {"rows": 3})
            return 7

        @task
        def yields():
            yield 1

        says(), yields()
    assert run(dag, "says") == 7
    with pytest.raises(UsageError, match="task 'yields' yields 1; return what its result is"):
        run(dag, "yields")


def test_an_operators_body_may_be_a_coroutine(run):
    class Awaits(BaseAsyncOperator):
        async def aexecute(self, context):
            await asyncio.sleep(0)
            return context["ds"]

    with DAG("d") as dag:
        Awaits(task_id="awaits")
        BaseAsyncOperator(task_id="empty")
    assert run(dag, "awaits") == "2026-01-31"
    with pytest.raises(NotImplementedError, match="BaseAsyncOperator has no async aexecute"):
        run(dag, "empty")


def test_a_body_renders_templates_of_its_own(run):
    class Rendering(BaseOperator):
        template_fields = ("name",)

        def __init__(self, *, name, **settings):
            super().__init__(**settings)
            self.name = name

        def execute(self, context):
            self.name = "{{ ds }}"
            self.render_template_fields(context)
            return [self.name, self.render_template({"a": ["{{ ti.task_id }}"]}, context, None), self.label]

    with DAG("d") as dag, TaskGroup("g"):
        made = Rendering(task_id="t", name="{{ 1 }}")
    assert run(dag, "g.t") == ["2026-01-31", {"a": ["g.t"]}, "t"]
    assert (made.task_type, made.operator_name, made.node_id) == ("Rendering", "Rendering", "g.t")
    assert made.get_dag() is dag
    assert EmptyOperator(task_id="alone").get_dag() is None


def test_a_body_is_told_what_its_task_reads_and_writes(run):
    with DAG("d") as dag:

        @task(inlets=[Asset("a")], outlets=Asset("b"))
        def told(inlets=None, outlets=None, test_mode=None, ti=None):
            return [repr(inlets), repr(outlets), test_mode, ti.is_mapped, ti.get_template_context()["ds"]]

        told()
    read, written = "[Asset(name='a', uri='a')]", "[Asset(name='b', uri='b')]"
    assert run(dag, "told") == [read, written, False, False, "2026-01-31"]
