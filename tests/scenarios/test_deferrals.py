"""kill -9 of triggers' processes and of everything, while tasks are deferred: no event is lost, none is taken twice."""

import contextlib
import random
from pathlib import Path

import msgspec
import psutil

from orchestrator.core.events import ActivityDeferred, ActivityResumed, Recorded
from orchestrator.names import RunState
from orchestrator.testing.home import LiveHome

WIDE = 40
SOURCE = f"""
import asyncio
import os

from orchestrator import DAG, BaseOperator
from orchestrator.sensors.filesystem import FileSensor
from orchestrator.triggers.base import BaseTrigger, TriggerEvent


class Flag(BaseTrigger):
    def __init__(self, path):
        super().__init__()
        self.path = path

    def serialize(self):
        return f"{{__name__}}.Flag", {{"path": self.path}}

    async def run(self):
        while not os.path.exists(self.path):
            await asyncio.sleep(0.05)
        yield TriggerEvent(self.path)


class Stages(BaseOperator):
    template_fields = ("folder",)

    def __init__(self, *, folder, **settings):
        super().__init__(**settings)
        self.folder = folder

    def execute(self, context):
        self.next(context, 0)

    def next(self, context, stage):
        path = f"{{self.folder}}/{{stage}}"
        self.defer(trigger=Flag(path), method_name="go_on", kwargs={{"stage": stage}})

    def go_on(self, context, event, stage):
        with open(f"{{self.folder}}/evidence", "a") as evidence:
            evidence.write(f"{{context['ti'].map_index}} {{stage}} {{event}}\\n")
        if stage < 2:
            self.next(context, stage + 1)
        return event


with DAG("stages"):
    Stages.partial(task_id="stages").expand(folder=["{{{{ params.folder }}}}"] * {WIDE})
    FileSensor(task_id="last", filepath="{{{{ params.folder }}}}/2", poke_interval=0.2, deferrable=True)
"""


def trigger_processes(home: LiveHome) -> list[psutil.Process]:
    """The zygote of triggers, and what it has forked."""
    found = []
    for process in home.processes():
        with contextlib.suppress(psutil.Error):
            if "worker.triggers.zygote" in " ".join(process.cmdline()):
                found.append(process)
    return found


def test_whatever_is_killed_each_event_resumes_its_task_once(tmp_path: Path) -> None:
    dice = random.Random()
    folder = tmp_path / "flags"
    folder.mkdir()
    with LiveHome(tmp_path / "home", settings={"core.max_lost_attempts": 1000}) as home:
        home.write_dag("stages.py", SOURCE)
        home.start()
        home.wait_for("the DAG is listed", lambda: home.lists("stages"))
        home.run(
            "dags",
            "trigger",
            "stages",
            "--run-id",
            "one",
            "--conf",
            msgspec.json.encode({"folder": str(folder)}).decode(),
        )
        with home.open() as door:

            def facts() -> list[Recorded]:
                run = door.reads.run("stages", "one")
                return [] if run is None else door.reads.history(run.run_key)

            def count(kind: type) -> int:
                return sum(isinstance(fact.event, kind) for fact in facts())

            for stage in range(3):
                deferred = WIDE * (stage + 1)
                home.wait_for(f"all wait for {stage}", lambda most=deferred: count(ActivityDeferred) >= most)
                for process in trigger_processes(home):
                    if dice.random() < 0.7:
                        process.kill()
                if stage:
                    (folder / str(stage)).touch()
                    at_least = WIDE * stage + dice.randrange(WIDE)
                    home.wait_for("some go on", lambda most=at_least: count(ActivityResumed) >= most)
                    home.kill()
                    home.start("scheduler")
                else:
                    home.kill()
                    (folder / "0").touch()
                    home.start("scheduler")
            home.wait_for("the run ends", lambda: door.reads.run("stages", "one").state != RunState.RUNNING)
            assert door.reads.run("stages", "one").state == RunState.SUCCESS
            judge(facts())
    said = set((folder / "evidence").read_text().splitlines())
    assert said == {f"{index} {stage} {folder}/{stage}" for index in range(WIDE) for stage in range(3)}


def judge(facts: list[Recorded]) -> None:
    """Between two resumptions of a task there is a deferral, and its event is that of its own stage."""
    waiting: dict[tuple[str, int], bytes] = {}
    for fact in facts:
        event = fact.event
        if isinstance(event, ActivityDeferred):
            waiting[event.task_id, event.map_index] = bytes(event.trigger)
        elif isinstance(event, ActivityResumed):
            trigger = msgspec.json.decode(waiting.pop((event.task_id, event.map_index)))
            told = msgspec.json.decode(event.payload)["event"]
            assert told is True or told == trigger["trigger"]["kwargs"]["path"]
