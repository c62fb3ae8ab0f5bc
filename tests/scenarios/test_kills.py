"""kill -9 at random moments, of everything and of single workers: nothing recorded is lost or computed again."""

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from orchestrator.testing.home import LiveHome
from tests.scenarios.storm import DAG_ID, SOURCE, gather, judge, make_effects_table

FEW = int(os.environ.get("ORCHESTRATOR_TEST_KILLS", "12"))
MANY = 20 * FEW


class Storm:
    """A home with the storm DAG, killed again and again; ``seen`` is what was recorded at the last look, by run."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.evidence, self.effects = folder / "evidence.txt", folder / "effects.db"
        make_effects_table(self.effects)
        self.home = LiveHome(
            folder / "home",
            # Kills of workers are no fault of the bodies here, however many there are.
            settings={"core.max_lost_attempts": 10_000},
            environment={"ORCHESTRATOR_CONN_EFFECTS": f"sqlite:///{self.effects}"},
        )
        self.runs: list[str] = []
        self.seen: dict[str, list[dict[str, Any]]] = {}

    def prepare(self) -> None:
        """Have the DAG read, so that later starts need the scheduler alone."""
        self.home.write_dag("storm.py", SOURCE)
        self.home.start()
        listed = lambda: self.home.run("dags", "details", DAG_ID).returncode == 0  # noqa: E731 - one line reads better
        self.home.wait_for("the storm is listed", listed)
        self.home.kill()

    def trigger(self) -> None:
        run_id = f"run_{len(self.runs)}"
        self.home.ask(
            "dags", "trigger", DAG_ID, "--run-id", run_id, "--conf", json.dumps({"evidence": str(self.evidence)})
        )
        self.runs.append(run_id)

    def kill_everything_at_a_random_moment(self) -> None:
        """Now and then while it starts; mostly when some more bodies have run."""
        self.home.start("scheduler")
        if self.random.random() < 0.2:
            self.until(time.monotonic() + self.random.uniform(0, 0.8))
        else:
            self.let_bodies_run(self.random.randint(1, 25))
        self.home.kill()

    def let_bodies_run(self, count: int) -> None:
        """Until that many more bodies have run, or all is done that can be, or the patience of some seconds."""
        target, patience = self.lines() + count, time.monotonic() + 3
        self.home.wait_for("bodies run", lambda: self.lines() >= target or time.monotonic() > patience)

    def until(self, moment: float) -> None:
        self.home.wait_for("the moment comes", lambda: time.monotonic() >= moment)

    def lines(self) -> int:
        return self.evidence.read_bytes().count(b"\n") if self.evidence.exists() else 0

    def history(self, run_id: str) -> list[dict[str, Any]]:
        facts: list[dict[str, Any]] = self.home.ask("runs", "history", DAG_ID, run_id)
        return facts

    def remember(self, run_id: str) -> None:
        """Look at a history; what was seen before must still stand in it, as it stood."""
        now, before = self.history(run_id), self.seen.get(run_id, [])
        assert now[: len(before)] == before, f"{run_id} has lost or changed what was recorded"
        self.seen[run_id] = now

    def finish(self) -> None:
        """Let every run end, with a person's answer where an outcome is unknown."""
        self.home.start("scheduler")
        for run_id in self.runs:
            self.home.wait_for(f"{run_id} ends", lambda run_id=run_id: self.has_ended(run_id), timeout=90)

    def has_ended(self, run_id: str) -> bool:
        shown = self.home.ask("runs", "show", DAG_ID, run_id)
        for task in shown["tasks"]:
            if task["state"] == "awaiting_input":
                self.resolve(run_id, task["task_id"])
        return shown["state"] in ("success", "failed")

    def resolve(self, run_id: str, task_id: str) -> None:
        """Answer as a person would who has looked: the evidence says whether it ran."""
        assert task_id.startswith("at_most_once"), f"{task_id} asks for input"
        ran = gather(self.evidence, self.effects).ran.get((run_id, task_id), [])
        assert len(ran) <= 1, f"{task_id} ran {len(ran)} times before anybody was asked"
        answer = ("--success", json.dumps(ran[0])) if ran else ("--retry",)
        self.home.run("tasks", "resolve", DAG_ID, task_id, run_id, *answer)

    def faults(self) -> list[str]:
        evidence = gather(self.evidence, self.effects)
        found = []
        for run_id in self.runs:
            self.remember(run_id)
            found += [f"{run_id}: {fault}" for fault in judge(run_id, self.seen[run_id], evidence)]
            state = self.home.ask("runs", "show", DAG_ID, run_id)["state"]
            found += [] if state == "success" else [f"{run_id} ended {state}"]
        return found


def storm_of(folder: Path, kills: int, seed: int) -> Storm:
    storm = Storm(folder, seed)
    with storm.home:
        storm.prepare()
        for number in range(kills):
            if number % 4 == 0:
                storm.trigger()
            storm.kill_everything_at_a_random_moment()
            if number % 5 == 0:
                storm.remember(storm.runs[-1])
        storm.finish()
        faults = storm.faults()
    assert faults == [], f"seed {seed}, {kills} kills"
    return storm


def test_nothing_recorded_is_lost_or_run_again_when_everything_is_killed_at_random_moments(tmp_path: Path) -> None:
    storm_of(tmp_path, FEW, seed=random.SystemRandom().randrange(10**6))


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_nothing_recorded_is_lost_or_run_again_in_hundreds_of_kills(tmp_path: Path) -> None:
    storm_of(tmp_path, MANY, seed=random.SystemRandom().randrange(10**6))


def test_the_death_of_single_workers_costs_their_attempt_alone(tmp_path: Path) -> None:
    storm = Storm(tmp_path, seed=random.SystemRandom().randrange(10**6))
    with storm.home:
        storm.prepare()
        storm.trigger()
        storm.home.start("scheduler")
        for _ in range(FEW):
            storm.let_bodies_run(3)
            kill_a_worker(storm)
        for run_id in storm.runs:
            storm.home.wait_for(f"{run_id} ends", lambda run_id=run_id: storm.has_ended(run_id), timeout=90)
        assert storm.faults() == []


def kill_a_worker(storm: Storm) -> None:
    """One of the processes that bodies run in, if any runs just now: the history names them host:pid."""
    started = [event for event in storm.history(storm.runs[-1]) if event["type"] == "ActivityStarted"]
    pids = {int(event["worker"].rpartition(":")[2]) for event in started}
    alive = [process for process in storm.home.processes() if process.pid in pids]
    if alive:
        storm.random.choice(alive).kill()
