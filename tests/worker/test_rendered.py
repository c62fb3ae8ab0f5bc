"""The template fields of an attempt, as they are recorded with its outcome."""

from types import SimpleNamespace
from typing import Any

from orchestrator import DAG, task
from orchestrator.authoring.context import build_context
from orchestrator.authoring.masking import mask_secret
from orchestrator.core.rendered import RENDERED
from orchestrator.exceptions import UsageError
from orchestrator.operators.bash import BashOperator
from orchestrator.worker.rendered import push_rendered
from tests.authoring.conftest import order_for


def pushed(dag: DAG, task_id: str, **results: Any) -> dict[str, Any]:
    """What is recorded of the task's fields."""
    found: dict[str, Any] = {}
    made = dag.get_task(task_id)
    context = build_context(order_for(dag, task_id), dag, made)
    ready = made.prepare(context, results)
    push_rendered(made, ready, SimpleNamespace(xcom_push=lambda key, value: found.update({key: value})))
    return found


def test_fields_that_are_templates_are_recorded_as_they_were_filled() -> None:
    with DAG("d") as dag:
        BashOperator(task_id="tell", bash_command="echo {{ ds }}", env={"DAY": "{{ ds }}", "N": "1"}, cwd="/tmp")
    fields = pushed(dag, "tell")[RENDERED]
    assert fields["bash_command"] == "echo 2026-01-31"
    assert '"DAY": "2026-01-31"' in fields["env"]
    assert "cwd" not in fields


def test_what_is_no_template_is_not_recorded() -> None:
    with DAG("d") as dag:
        BashOperator(task_id="tell", bash_command="echo hello")

        @task
        def one() -> int:
            return 1

        @task
        def two(number: int) -> int:
            return number

        two(one())
    assert pushed(dag, "tell") == pushed(dag, "one") == {}
    assert pushed(dag, "two", one=1) == {}


def test_secrets_are_masked_and_long_fields_are_cut() -> None:
    mask_secret("hunter2-of-ada")
    with DAG("d") as dag:
        BashOperator(task_id="tell", bash_command="echo {{ 'hunter2-of-ada' }} {{ 'x' * 9000 }}")
    text = pushed(dag, "tell")[RENDERED]["bash_command"]
    assert "hunter2" not in text
    assert text.startswith("echo *** x")
    assert len(text) < 5000


def test_what_cannot_be_pushed_changes_no_outcome() -> None:
    def refuse(key: str, value: Any) -> None:
        raise UsageError("a transactional task pushes nothing")

    with DAG("d"):
        made = BashOperator(task_id="tell", bash_command="echo {{ ds }}")
    push_rendered(made, made, SimpleNamespace(xcom_push=refuse))
