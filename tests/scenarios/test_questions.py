"""A real home whose task asks a person, killed at every step of it."""

from pathlib import Path

import pytest

from orchestrator.core.events import ActivityResumed, ActivityScheduled
from orchestrator.testing.home import LiveHome

ORDER = """
from orchestrator import DAG, Param, task
from orchestrator.operators.hitl import ApprovalOperator

with DAG("refund"):

    @task
    def price():
        return 1200

    @task
    def pay(answer):
        return answer["params_input"]["amount"]

    ask = ApprovalOperator(
        task_id="ask",
        subject="Refund {{ ti.xcom_pull(task_ids='price') }}?",
        params={"amount": Param(1200, type="integer")},
    )
    price() >> ask
    pay(ask.output)
"""


@pytest.mark.slow
def test_neither_a_question_nor_its_answer_is_lost_when_everything_is_killed(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        home.write_dag("refund.py", ORDER)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("refund"))
        assert home.run("dags", "trigger", "refund", "--run-id", "r1").returncode == 0
        (question,) = home.wait_for("it asks", lambda: home.ask("tasks", "awaiting"))
        assert question["subject"] == "Refund 1200?"
        home.kill()
        given = home.run(
            "tasks", "answer", "refund", "ask", "--choose", "Approve", "--set", "amount=900", "--by", "ada"
        )
        assert given.returncode == 0, given.stderr
        home.start()
        home.wait_for("the answer is recorded", lambda: not home.ask("tasks", "awaiting"))
        home.kill()
        home.start()
        home.wait_for("the run ends", lambda: home.ask("dags", "state", "refund")["state"] == "success")
        assert home.ask("tasks", "result", "refund", "pay") == 900
        with home.open() as door:
            facts = list(door.reads.facts(door.reads.run("refund").run_key))
    assert sum(isinstance(fact.event, ActivityResumed) for fact in facts) == 1
    asked = [fact.event for fact in facts if isinstance(fact.event, ActivityScheduled) and fact.event.task_id == "ask"]
    assert {event.attempt for event in asked[:2]} == {1}
