"""kill -9 at random moments, of everything and of single red and blue processes: workflows end as they would have."""

import sqlite3
from pathlib import Path

import msgspec
import psutil
import pytest

from orchestrator.core.requests import ResolveTask, SendSignal
from orchestrator.exceptions import NotFoundError
from orchestrator.names import TaskState
from orchestrator.storage.reads import RunRow
from tests.scenarios.blue_storm import DAG_ID, SIGNALS, SOURCE, judge, traces
from tests.scenarios.weather import FEW, MANY, Weather

ABREAST = 3
STARTED = ("counting", "fan", "gale", "plain", "rounds")


class Gale(Weather):
    """A home with the gale, whose runs take signals."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, DAG_ID, ABREAST, **settings)

    def make_ready(self) -> None:
        self.prepare(SOURCE.replace("EVIDENCE", repr(str(self.evidence))), *STARTED)

    def asked(self, run_id: str) -> None:
        for word in SIGNALS:
            payload = msgspec.Raw(msgspec.json.encode(word))
            signal = SendSignal(dag_id=DAG_ID, run_id=run_id, name="word", payload=payload)
            self.door.requests.submit(signal, f"{run_id}/{word}")

    def kill_at_a_random_moment(self) -> None:
        """Mostly single processes, one after the other; now and then everything."""
        self.let_bodies_run(self.random.randint(1, 12))
        if self.random.random() < 0.4:
            self.home.kill()
            self.home.start("scheduler")
            return
        workers = [one for one in self.home.processes() if self.is_worker(one)]
        if workers:
            self.random.choice(workers).kill()

    def is_worker(self, process: psutil.Process) -> bool:
        """Whether it is a zygote of either colour, or was forked from one."""
        try:
            return "zygote" in " ".join(process.cmdline())
        except psutil.Error:
            return False

    def answer(self, run: RunRow) -> None:
        for call in self.door.reads.activities(run.run_key, task_id="once"):
            if call.state is TaskState.AWAITING_INPUT:
                ran = any(one.what == "mail" for one in traces(self.evidence) if one.run_id == run.run_id)
                request = ResolveTask(
                    dag_id=DAG_ID,
                    run_id=run.run_id,
                    task_id="once",
                    map_index=call.map_index,
                    state=TaskState.SUCCESS if ran else TaskState.NONE,
                    result=msgspec.Raw(b'"mail"'),
                )
                self.door.requests.submit(request, f"{run.run_id}/{call.attempt}")
                self.door.ring()

    def faults(self) -> list[str]:
        ran = traces(self.evidence)
        with sqlite3.connect(self.effects) as database:
            paid = list(database.execute("select run_id, task_id, token from effects"))
        database.close()
        return [
            f"{run_id}: {fault}"
            for run_id in self.runs
            for fault in judge(
                self.seen[run_id],
                [one for one in ran if one.run_id == run_id],
                [(what, key) for of, what, key in paid if of == run_id],
            )
        ]


def blow(gale: Gale, kills: int) -> None:
    """Kill that often, let all runs end, and hold what happened to the evidence."""
    with gale.home:
        gale.make_ready()
        gale.trigger()
        gale.home.start("scheduler")
        gale.home.wait_for("the first runs begin", lambda: gale.lines() > 0)
        for _ in range(kills):
            gale.trigger()
            gale.home.wait_for("they are there", lambda: all(is_there(gale, run_id) for run_id in gale.open))
            gale.kill_at_a_random_moment()
        gale.home.wait_for("every run ends", gale.has_ended, timeout=90)
        faults = gale.faults()
        gale.door.close()
        figures = (
            f"seed {gale.seed}: {kills} kills, {gale.losses()} losses, {len(gale.runs)} runs, {gale.lines()} bodies"
        )
        assert faults == [], figures
        print(figures)


def is_there(gale: Gale, run_id: str) -> bool:
    try:
        return bool(gale.door.reads.run(DAG_ID, run_id).run_key)
    except NotFoundError:
        return False


def test_workflows_end_as_if_nothing_had_been_when_processes_are_killed_at_random_moments(tmp_path: Path) -> None:
    blow(Gale(tmp_path), FEW)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_workflows_end_as_if_nothing_had_been_in_hundreds_of_kills(tmp_path: Path) -> None:
    blow(Gale(tmp_path), MANY)
