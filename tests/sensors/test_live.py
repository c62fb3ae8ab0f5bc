"""Sensors that give their worker up, on the production path."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.testing.home import LiveHome

SOURCE = """
from datetime import datetime, timedelta, timezone
from orchestrator import DAG, BaseOperator, PokeReturnValue, task
from orchestrator.sensors.time_delta import WaitSensor
from orchestrator.triggers.temporal import TimeDeltaTrigger


class Twice(BaseOperator):
    def execute(self, context):
        self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=0.2)), method_name="go_on", kwargs={"step": 1})

    def go_on(self, context, event, step):
        if step < 2:
            self.defer(trigger=TimeDeltaTrigger(timedelta(seconds=0.2)), method_name="go_on", kwargs={"step": step + 1})
        return [step, event <= datetime.now(timezone.utc), context["ti"].try_number]


class Late(BaseOperator):
    def execute(self, context):
        trigger = TimeDeltaTrigger(timedelta(hours=9))
        self.defer(trigger=trigger, method_name="go_on", timeout=timedelta(seconds=0.2))


class Elsewhere(BaseOperator):
    def execute(self, context):
        self.defer(trigger="the moon", method_name="go_on")


with DAG("waiting"):

    @task.sensor(mode="reschedule", poke_interval=0.2, timeout=60)
    def third(ti=None):
        return PokeReturnValue(ti.pokes >= 2, ti.pokes)

    @task
    def add(found):
        return found + 1

    add(third())
    WaitSensor(task_id="a_while", time_to_wait=timedelta(seconds=0.3), deferrable=True)
    Twice(task_id="twice")

with DAG("failing"):
    Late(task_id="late")
    Elsewhere(task_id="elsewhere")
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("waiting")) as home:
        Path(home.dags, "waiting.py").write_text(SOURCE)
        yield home


def rehearsed(home: LiveHome, dag_id: str) -> str:
    done = home.run("dags", "test", dag_id)
    return done.stdout + done.stderr


def test_what_was_put_off_goes_on_where_it_was(home: LiveHome) -> None:
    home.start()
    home.wait_for("the DAG is listed", lambda: home.lists("waiting"))
    done = home.run("dags", "trigger", "waiting", "--run-id", "one", "--wait", "-o", "json")
    assert done.returncode == 0, done.stdout + done.stderr

    def result(task_id: str) -> object:
        return msgspec.json.decode(home.run("tasks", "result", "waiting", task_id, "one").stdout)

    assert result("add") == 3
    assert result("twice") == [2, True, 1]
    assert result("a_while") is None


def test_what_cannot_be_waited_for_fails_with_a_sentence(home: LiveHome) -> None:
    said = rehearsed(home, "failing")
    assert "nothing came until" in said
    assert "defers itself to 'the moon'; give it a trigger" in " ".join(said.split())
