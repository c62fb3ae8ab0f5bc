"""Sensors and operators that wait by a trigger, on the production path."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from orchestrator.testing.home import LiveHome

DATE = "2026-02-01T00:00:00+00:00"
SOURCE = """
import asyncio
import os
from datetime import timedelta
from pathlib import Path

from orchestrator import DAG, BaseOperator, task
from orchestrator.authoring.masking import mask_secret
from orchestrator.sensors.external_task import ExternalTaskSensor
from orchestrator.sensors.filesystem import FileSensor
from orchestrator.triggers.base import BaseTrigger, TaskFailedEvent, TaskSkippedEvent, TaskSuccessEvent, TriggerEvent
from orchestrator.triggers.testing import FailureTrigger, SuccessTrigger

from bells import Bell

HERE = Path(os.environ["BELFRY"])


class Own(BaseTrigger):
    def __init__(self, event):
        super().__init__()
        self.event = event

    def serialize(self):
        return f"{__name__}.Own", {"event": self.event}

    async def run(self):
        yield {"success": TaskSuccessEvent(xcoms={"return_value": 7}), "failed": TaskFailedEvent(),
               "skipped": TaskSkippedEvent()}[self.event]


class Defers(BaseOperator):
    def __init__(self, *, trigger, timeout=None, **settings):
        super().__init__(**settings)
        self.to, self.limit = trigger, timeout

    def execute(self, context):
        context["ti"].xcom_push("before", 1)
        self.defer(trigger=self.to, method_name="go_on", kwargs={"step": [1]}, timeout=self.limit)

    def go_on(self, context, event, step):
        return [event, step, context["ti"].try_number]


with DAG("source"):
    @task
    def rows():
        return 3

    @task
    def breaks():
        raise RuntimeError("not today")

    rows()
    breaks()

with DAG("waits"):
    Defers(task_id="bell", trigger=Bell(str(HERE / "rope")))
    Defers(task_id="ends", trigger=Own("success"))
    Defers(task_id="is_skipped", trigger=Own("skipped"))
    FileSensor(task_id="rope", filepath=str(HERE / "rope*"), poke_interval=0.1, deferrable=True)
    FileSensor(task_id="late", filepath=str(HERE / "never"), timeout=0.3, soft_fail=True, deferrable=True)
    common = {"external_dag_id": "source", "poll_interval": 0.1, "deferrable": True}
    ExternalTaskSensor(task_id="for_rows", external_task_id="rows", **common)
    ExternalTaskSensor(task_id="for_end", allowed_states=["failed"], **common)
    ExternalTaskSensor(task_id="for_skip", external_task_id="breaks", skipped_states=["failed"], **common)

with DAG("fails"):
    Defers(task_id="breaks", trigger=FailureTrigger(), retries=0)
    Defers(task_id="times_out", trigger=Bell(str(HERE / "never")), timeout=timedelta(seconds=0.3))
    Defers(task_id="ends", trigger=Own("failed"), retries=3)
    Defers(task_id="no_trigger", trigger="the moon")
    ExternalTaskSensor(task_id="told", external_task_id="breaks", failed_states=["failed"], **common)
"""
BELLS = """
import asyncio
import os

from orchestrator.authoring.masking import mask_secret
from orchestrator.triggers.base import BaseTrigger, TriggerEvent


class Bell(BaseTrigger):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def serialize(self):
        return "bells.Bell", {"path": self.path}

    async def run(self):
        mask_secret("s3cret-of-the-bell")
        print("waiting, and says nothing of s3cret-of-the-bell")
        self.log.info("for %s", self.task_instance.task_id)
        while not os.path.exists(self.path):
            await asyncio.sleep(0.05)
        yield TriggerEvent({"rope": os.path.basename(self.path)})
"""


@pytest.fixture(scope="module")
def belfry(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("belfry")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, belfry: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path_factory.mktemp("waiting"), environment={"BELFRY": str(belfry)}) as home:
        home.write_dag("bells.py", BELLS)
        home.write_dag("waiting.py", SOURCE)
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("waits"))
        yield home


def states(home: LiveHome, dag_id: str, run_id: str = "one") -> dict[str, str]:
    return {task["task_id"]: task["state"] for task in home.ask("runs", "show", dag_id, run_id)["tasks"]}


def result(home: LiveHome, dag_id: str, task_id: str) -> object:
    return msgspec.json.decode(home.run("tasks", "result", dag_id, task_id, "one").stdout)


def test_what_is_deferred_waits_without_a_worker_and_goes_on_with_the_event(home: LiveHome, belfry: Path) -> None:
    home.run("dags", "trigger", "waits", "--run-id", "one", "--logical-date", DATE)
    waiting = {"bell", "rope", "for_rows", "for_end", "for_skip"}
    home.wait_for(
        "all wait", lambda: {name for name, state in states(home, "waits").items() if state == "deferred"} == waiting
    )

    def log() -> str:
        return home.run("tasks", "logs", "waits", "bell", "one").stdout

    home.wait_for("the trigger has spoken", lambda: "Bell: for bell" in log())
    assert "waiting, and says nothing of ***" in log()
    (belfry / "rope").touch()
    home.run("dags", "trigger", "source", "--run-id", "one", "--logical-date", DATE, "--wait", timeout=60)
    home.wait_for("the run ends", lambda: home.ask("runs", "show", "waits", "one")["state"] in ("success", "failed"))
    skipped = {"is_skipped", "late", "for_skip"}
    assert {name for name, state in states(home, "waits").items() if state == "skipped"} == skipped
    assert {state for name, state in states(home, "waits").items() if name not in skipped} == {"success"}
    assert result(home, "waits", "bell") == [{"rope": "rope"}, [1], 1]
    assert result(home, "waits", "ends") == 7
    assert "waiting, and says nothing of ***" in log()


def test_why_a_deferral_failed_is_said(home: LiveHome) -> None:
    for dag_id in ("source", "fails"):
        home.run("dags", "trigger", dag_id, "--run-id", "two", "--logical-date", DATE.replace("02-01", "02-02"))
    home.wait_for("the run ends", lambda: home.ask("runs", "show", "fails", "two")["state"] == "failed")
    assert set(states(home, "fails", "two").values()) == {"failed"}

    def why(task_id: str) -> str:
        return " ".join(home.run("runs", "why", "fails", "two", task_id).stdout.split())

    assert "Deliberate trigger failure" in why("breaks")
    assert "TaskDeferralTimeout" in why("times_out") or "had no event before its timeout" in why("times_out")
    assert "Own said TaskFailedEvent" in why("ends")
    assert "failed on attempt 1" in why("ends")
    assert "defers itself to 'the moon'; give it a trigger" in why("no_trigger")
    assert "which is among failed_states" in why("told")


def test_a_file_of_airflow_that_defers_runs_as_it_is(home: LiveHome) -> None:
    home.write_dag(
        "foreign.py",
        "from airflow.sdk import DAG, BaseOperator\n"
        "from airflow.providers.standard.triggers.file import FileTrigger\n"
        "from airflow.triggers.base import BaseTrigger, TriggerEvent\n"
        "class Waits(BaseOperator):\n"
        "    def execute(self, context):\n"
        "        self.defer(trigger=FileTrigger(filepath=__file__), method_name='done')\n"
        "    def done(self, context, event=None):\n"
        "        return event\n"
        "with DAG('foreign'):\n"
        "    Waits(task_id='waits')\n",
    )
    home.wait_for("the DAG is listed", lambda: home.lists("foreign"))
    done = home.run("dags", "trigger", "foreign", "--run-id", "one", "--wait", timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
    assert result(home, "foreign", "waits") is True


def test_a_rehearsal_waits_for_triggers_in_its_own_process(home: LiveHome, belfry: Path) -> None:
    (belfry / "gong").touch()
    home.write_dag(
        "alone.py",
        "from orchestrator import DAG, BaseOperator\n"
        "from bells import Bell\n"
        "class Waits(BaseOperator):\n"
        "    def execute(self, context):\n"
        f"        self.defer(trigger=Bell({str(belfry / 'gong')!r}), method_name='done')\n"
        "    def done(self, context, event):\n"
        "        print('and on with', event)\n"
        "with DAG('alone'):\n"
        "    Waits(task_id='waits')\n",
    )
    done = home.run("dags", "test", "alone")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "waiting, and says nothing of ***" in done.stdout
    assert "and on with {'rope': 'gong'}" in done.stdout


def test_deferrable_can_be_the_default(tmp_path: Path) -> None:
    with LiveHome(tmp_path, settings={"operators.default_deferrable": True}) as home:
        home.write_dag(
            "by_default.py",
            "from orchestrator import DAG\n"
            "from orchestrator.sensors.filesystem import FileSensor\n"
            "with DAG('by_default'):\n"
            f"    FileSensor(task_id='a', filepath={str(tmp_path / 'flag')!r}, poke_interval=0.1)\n"
            f"    FileSensor(task_id='b', filepath={str(tmp_path / 'flag')!r}, poke_interval=0.1, deferrable=False)\n",
        )
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("by_default"))
        home.run("dags", "trigger", "by_default", "--run-id", "one")
        home.wait_for("they wait", lambda: states(home, "by_default") == {"a": "deferred", "b": "running"})
        (tmp_path / "flag").touch()
        home.wait_for("the run ends", lambda: home.ask("runs", "show", "by_default", "one")["state"] == "success")
