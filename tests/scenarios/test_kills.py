"""kill -9 at random moments, of everything and of single workers: nothing recorded is lost or computed again."""

import os
import random
import time
import uuid
from pathlib import Path

import msgspec
import pytest

from orchestrator.core.events import ActivityLost, ActivityStarted, Recorded
from orchestrator.core.requests import ResolveTask, TriggerRun
from orchestrator.names import RunState, TaskState
from orchestrator.storage.reads import ActivityRow
from orchestrator.testing.home import LiveHome
from tests.scenarios.storm import DAG_ID, SOURCE, gather, judge, make_effects_table

FEW = int(os.environ.get("ORCHESTRATOR_TEST_KILLS", "12"))
MANY = 15 * FEW
# Runs that are open at a time: a task of unknown outcome holds up a row of its run, and there has to be other work.
ABREAST = 4


class Storm:
    """A home with the storm DAG, killed again and again; ``seen`` is what was recorded at the last look, by run."""

    def __init__(self, folder: Path, **settings: object) -> None:
        self.seed = random.SystemRandom().randrange(10**6)
        self.random = random.Random(self.seed)
        self.evidence, self.effects = folder / "evidence.txt", folder / "effects.db"
        make_effects_table(self.effects)
        self.home = LiveHome(
            folder / "home",
            # Kills of workers are no fault of the bodies here, however many there are.
            settings={"core.max_lost_attempts": 10_000, **settings},
            environment={"ORCHESTRATOR_CONN_EFFECTS": f"sqlite:///{self.effects}"},
        )
        self.runs: list[str] = []
        self.open: list[str] = []
        self.seen: dict[str, list[Recorded]] = {}

    def prepare(self) -> None:
        """Have the DAG read, so that later starts need the scheduler alone."""
        self.home.write_dag("storm.py", SOURCE)
        self.home.start()
        self.home.wait_for("the storm is listed", lambda: self.home.run("dags", "details", DAG_ID).returncode == 0)
        self.home.kill()
        self.door = self.home.open()

    def knock_again(self) -> None:
        """Look through new connections: the old ones went with the database's server."""
        self.door.close()
        self.door = self.home.open()

    def trigger(self) -> None:
        """Ask for runs until as many are open as there should be."""
        while len(self.open) < ABREAST:
            run_id = f"run_{len(self.runs)}"
            conf = msgspec.Raw(msgspec.json.encode({"evidence": str(self.evidence)}))
            request = TriggerRun(dag_id=DAG_ID, run_id=run_id, run_uid=uuid.uuid4().hex, conf=conf)
            self.door.requests.submit(request, request.run_uid)
            self.runs.append(run_id)
            self.open.append(run_id)
        self.door.ring()

    def kill_everything_at_a_random_moment(self) -> None:
        """Now and then while it starts; mostly when some more bodies have run."""
        self.home.start("scheduler")
        if self.random.random() < 0.2:
            self.wait_until(time.monotonic() + self.random.uniform(0, 0.8))
        else:
            self.let_bodies_run(self.random.randint(1, 25))
        self.home.kill()

    def let_bodies_run(self, count: int) -> None:
        """Until that many more bodies have run, or every run has ended."""
        target = self.lines() + count
        self.home.wait_for("bodies run", lambda: self.lines() >= target or self.has_ended())

    def wait_until(self, moment: float) -> None:
        self.home.wait_for("the moment comes", lambda: time.monotonic() >= moment)

    def lines(self) -> int:
        return self.evidence.read_bytes().count(b"\n") if self.evidence.exists() else 0

    def look(self) -> None:
        """Look at every open run: what was seen before must still stand in its history; answer what is asked."""
        for run_id in tuple(self.open):
            run = self.door.reads.run(DAG_ID, run_id)
            now, before = self.door.reads.history(run.run_key), self.seen.get(run_id, [])
            assert now[: len(before)] == before, f"{run_id} has lost or changed what was recorded"
            self.seen[run_id] = now
            self.answer(run_id)
            if run.is_ended:
                self.open.remove(run_id)

    def answer(self, run_id: str) -> None:
        """Resolve unknown outcomes as a person would who has looked: the evidence says whether a body ran."""
        run = self.door.reads.run(DAG_ID, run_id)
        for task in self.door.reads.tasks(run):
            if task.state is TaskState.AWAITING_INPUT:
                assert task.task_id.startswith("at_most_once"), f"{task.task_id} asks for input"
                ran = gather(self.evidence, self.effects).ran.get((run_id, task.task_id), [])
                assert len(ran) <= 1, f"{task.task_id} ran {len(ran)} times before anybody was asked"
                self.resolve(run_id, task, ran)

    def resolve(self, run_id: str, task: ActivityRow, ran: list[str]) -> None:
        request = ResolveTask(
            dag_id=DAG_ID,
            run_id=run_id,
            task_id=task.task_id,
            state=TaskState.SUCCESS if ran else TaskState.NONE,
            result=msgspec.Raw(msgspec.json.encode(ran[0] if ran else None)),
        )
        self.door.requests.submit(request, f"{run_id}/{task.task_id}/{task.attempt}")
        self.door.ring()

    def finish(self) -> None:
        """Let every run end."""
        self.home.start("scheduler")
        self.home.wait_for("every run ends", self.has_ended, timeout=90)

    def has_ended(self) -> bool:
        self.look()
        return not self.open

    def faults(self) -> list[str]:
        evidence = gather(self.evidence, self.effects)
        found = []
        for run_id in self.runs:
            found += [f"{run_id}: {fault}" for fault in judge(run_id, self.seen[run_id], evidence)]
            run = self.door.reads.run(DAG_ID, run_id)
            found += [] if run.state is RunState.SUCCESS else [f"{run_id} ended {run.state}: {run.reason}"]
        return found

    def losses(self) -> int:
        return sum(isinstance(fact.event, ActivityLost) for history in self.seen.values() for fact in history)

    def unknown(self) -> int:
        """How often somebody had to say what became of an attempt."""
        events = (fact.event for history in self.seen.values() for fact in history)
        return sum(isinstance(event, ActivityLost) and event.unknown for event in events)

    def losses_of_begun(self) -> int:
        """Of the losses, those of attempts that had begun."""
        lost = 0
        for history in self.seen.values():
            begun = set()
            for event in (fact.event for fact in history):
                if isinstance(event, ActivityStarted):
                    begun.add((event.task_id, event.attempt))
                elif isinstance(event, ActivityLost):
                    lost += (event.task_id, event.attempt) in begun
        return lost


def weather(storm: Storm, kills: int) -> None:
    """Kill everything that many times, let all runs end, and hold what happened to the evidence."""
    with storm.home:
        storm.prepare()
        for _ in range(kills):
            storm.trigger()
            storm.kill_everything_at_a_random_moment()
            storm.look()
        storm.finish()
        faults = storm.faults()
        storm.door.close()
        figures = (
            f"{kills} kills, {storm.losses()} attempts lost, {storm.unknown()} unknown outcomes, {storm.lines()} bodies"
        )
        assert faults == [], f"seed {storm.seed}: {figures}"
        assert storm.losses() > kills / 2, f"the kills fell into pauses, so nothing was shown: {figures}"
        assert kills < 100 or storm.unknown(), f"no at-most-once body was ever hit: {figures}"
        print(figures)


def test_nothing_recorded_is_lost_or_run_again_when_everything_is_killed_at_random_moments(tmp_path: Path) -> None:
    weather(Storm(tmp_path), FEW)


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_recorded_is_lost_or_run_again_in_hundreds_of_kills(tmp_path: Path) -> None:
    weather(Storm(tmp_path), MANY)


def test_the_death_of_single_workers_costs_their_attempt_alone(tmp_path: Path) -> None:
    storm = Storm(tmp_path)
    with storm.home:
        storm.prepare()
        storm.trigger()
        storm.home.start("scheduler")
        for _ in range(FEW):
            storm.trigger()
            storm.let_bodies_run(3)
            storm.look()
            kill_a_worker(storm)
        storm.home.wait_for("every run ends", storm.has_ended, timeout=60)
        assert storm.faults() == []


def kill_a_worker(storm: Storm) -> None:
    """One of the processes that bodies run in, if any runs just now: the histories name them host:pid."""
    events = (fact.event for history in storm.seen.values() for fact in history)
    pids = {int(event.worker.rpartition(":")[2]) for event in events if isinstance(event, ActivityStarted)}
    alive = [process for process in storm.home.processes() if process.pid in pids]
    if alive:
        storm.random.choice(alive).kill()
