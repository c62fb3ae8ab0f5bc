"""kill -9 at random moments, of everything and of single workers: nothing recorded is lost or computed again."""

import time
from pathlib import Path

import msgspec
import pytest

from orchestrator.core.events import ActivityLost, ActivityStarted
from orchestrator.core.requests import ResolveTask
from orchestrator.names import RunState, TaskState
from orchestrator.storage.reads import ActivityRow, RunRow
from tests.scenarios.storm import DAG_ID, SOURCE, gather, judge
from tests.scenarios.weather import FEW, MANY, Weather

# Runs that are open at a time: a task of unknown outcome holds up a row of its run, and there has to be other work.
ABREAST = 4


class Storm(Weather):
    """A home with the storm DAG, killed again and again."""

    def __init__(self, folder: Path, **settings: object) -> None:
        super().__init__(folder, DAG_ID, ABREAST, **settings)

    def make_ready(self) -> None:
        self.prepare(SOURCE, DAG_ID)

    def knock_again(self) -> None:
        """Look through new connections: the old ones went with the database's server."""
        self.door.close()
        self.door = self.home.open()

    def conf(self) -> dict[str, str]:
        return {"evidence": str(self.evidence)}

    def kill_everything_at_a_random_moment(self) -> None:
        """Now and then while it starts; mostly when some more bodies have run."""
        self.home.start("scheduler")
        if self.random.random() < 0.2:
            self.wait_until(time.monotonic() + self.random.uniform(0, 0.8))
        else:
            self.let_bodies_run(self.random.randint(1, 25))
        self.home.kill()

    def wait_until(self, moment: float) -> None:
        self.home.wait_for("the moment comes", lambda: time.monotonic() >= moment)

    def answer(self, run: RunRow) -> None:
        for task in self.door.reads.tasks(run):
            if task.state is TaskState.AWAITING_INPUT:
                assert task.task_id.startswith("at_most_once"), f"{task.task_id} asks for input"
                ran = gather(self.evidence, self.effects).ran.get((run.run_id, task.task_id), [])
                assert len(ran) <= 1, f"{task.task_id} ran {len(ran)} times before anybody was asked"
                self.resolve(run.run_id, task, ran)

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

    def faults(self) -> list[str]:
        evidence = gather(self.evidence, self.effects)
        found = []
        for run_id in self.runs:
            found += [f"{run_id}: {fault}" for fault in judge(run_id, self.seen[run_id], evidence)]
            run = self.door.reads.run(DAG_ID, run_id)
            found += [] if run.state is RunState.SUCCESS else [f"{run_id} ended {run.state}: {run.reason}"]
        return found

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
        storm.make_ready()
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
        storm.make_ready()
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
