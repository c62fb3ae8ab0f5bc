"""kill -9 at random moments, of everything and of single red and blue processes: workflows end as they would have."""

import os
import random
import sqlite3
import uuid
from pathlib import Path

import msgspec
import psutil
import pytest

from orchestrator.core.events import ActivityLost, Recorded
from orchestrator.core.requests import ResolveTask, SendSignal, TriggerRun
from orchestrator.exceptions import NotFoundError
from orchestrator.names import TaskState
from orchestrator.testing.home import LiveHome
from tests.scenarios.blue_storm import DAG_ID, SIGNALS, SOURCE, judge, traces
from tests.scenarios.storm import make_effects_table

FEW = int(os.environ.get("ORCHESTRATOR_TEST_KILLS", "12"))
MANY = 15 * FEW
ABREAST = 3
STARTED = {"gale", "rounds", "counting", "fan", "plain"}


class Gale:
    """A home with the gale; ``seen`` is what was recorded at the last look, by run."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.seed = random.SystemRandom().randrange(10**6)
        self.random = random.Random(self.seed)
        self.evidence, self.effects = folder / "evidence.txt", folder / "effects.db"
        make_effects_table(self.effects)
        self.home = LiveHome(
            folder / "home",
            settings={"core.max_lost_attempts": 10_000, **settings},
            environment={"ORCHESTRATOR_CONN_EFFECTS": f"sqlite:///{self.effects}"},
        )
        self.runs: list[str] = []
        self.open: list[str] = []
        self.seen: dict[str, list[Recorded]] = {}

    def prepare(self) -> None:
        self.home.write_dag("gale.py", SOURCE.replace("EVIDENCE", repr(str(self.evidence))))
        self.home.start()
        self.home.wait_for("the gale is listed", self.is_listed)
        self.home.kill()
        self.door = self.home.open()

    def is_listed(self) -> bool:
        return all(self.home.run("dags", "details", name).returncode == 0 for name in sorted(STARTED))

    def trigger(self) -> None:
        """Ask for runs until as many are open as there should be, each with the signals that it will take."""
        while len(self.open) < ABREAST:
            run_id = f"run_{len(self.runs)}"
            request = TriggerRun(dag_id=DAG_ID, run_id=run_id, run_uid=uuid.uuid4().hex)
            self.door.requests.submit(request, request.run_uid)
            for word in SIGNALS:
                payload = msgspec.Raw(msgspec.json.encode(word))
                signal = SendSignal(dag_id=DAG_ID, run_id=run_id, name="word", payload=payload)
                self.door.requests.submit(signal, f"{run_id}/{word}")
            self.runs.append(run_id)
            self.open.append(run_id)
        self.door.ring()

    def lines(self) -> int:
        return self.evidence.read_bytes().count(b"\n") if self.evidence.exists() else 0

    def kill_at_a_random_moment(self) -> None:
        """Mostly single processes, one after the other; now and then everything."""
        target = self.lines() + self.random.randint(1, 12)
        self.home.wait_for("bodies run", lambda: self.lines() >= target or self.has_ended())
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

    def look(self) -> None:
        """What was seen before must still stand in each history; what is asked is answered by the evidence."""
        for run_id in tuple(self.open):
            run = self.door.reads.run(DAG_ID, run_id)
            now, before = self.door.reads.history(run.run_key), self.seen.get(run_id, [])
            assert now[: len(before)] == before, f"{run_id} has lost or changed what was recorded"
            self.seen[run_id] = now
            self.answer(run_id, run.run_key)
            if run.is_ended:
                self.open.remove(run_id)

    def answer(self, run_id: str, run_key: int) -> None:
        for call in self.door.reads.activities(run_key, task_id="once"):
            if call.state is TaskState.AWAITING_INPUT:
                ran = any(one.what == "mail" for one in traces(self.evidence) if one.run_id == run_id)
                request = ResolveTask(
                    dag_id=DAG_ID,
                    run_id=run_id,
                    task_id="once",
                    map_index=call.map_index,
                    state=TaskState.SUCCESS if ran else TaskState.NONE,
                    result=msgspec.Raw(b'"mail"'),
                )
                self.door.requests.submit(request, f"{run_id}/{call.attempt}")
                self.door.ring()

    def has_ended(self) -> bool:
        self.look()
        return not self.open

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

    def losses(self) -> int:
        return sum(isinstance(fact.event, ActivityLost) for history in self.seen.values() for fact in history)


def blow(gale: Gale, kills: int) -> None:
    """Kill that often, let all runs end, and hold what happened to the evidence."""
    with gale.home:
        gale.prepare()
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
