"""Weather: a home in which runs are kept open while processes are killed, and every look at it is held to the last."""

import os
import random
import uuid
from pathlib import Path

import msgspec

from orchestrator.core.events import ActivityLost, Recorded
from orchestrator.core.requests import TriggerRun
from orchestrator.storage.reads import RunRow
from orchestrator.testing.home import LiveHome
from tests.scenarios.storm import make_effects_table

FEW = int(os.environ.get("ORCHESTRATOR_TEST_KILLS", "12"))
MANY = 15 * FEW


class Weather:
    """``abreast``: how many runs of ``dag_id`` are open at a time; ``seen``: what the last look at each run found."""

    def __init__(self, folder: Path, dag_id: str, abreast: int, **settings: object) -> None:
        self.dag_id, self.abreast = dag_id, abreast
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

    def prepare(self, source: str, *listed: str) -> None:
        """Have the file read until those DAGs are listed, so that later starts need the scheduler alone."""
        self.home.write_dag(f"{self.dag_id}.py", source)
        self.home.start()
        self.home.wait_for("the DAGs are listed", lambda: all(self._is_listed(name) for name in listed))
        self.home.kill()
        self.door = self.home.open()

    def _is_listed(self, dag_id: str) -> bool:
        return self.home.lists(dag_id)

    def trigger(self) -> None:
        """Ask for runs until as many are open as there should be."""
        while len(self.open) < self.abreast:
            run_id = f"run_{len(self.runs)}"
            conf = msgspec.Raw(msgspec.json.encode(self.conf()))
            request = TriggerRun(dag_id=self.dag_id, run_id=run_id, run_uid=uuid.uuid4().hex, conf=conf)
            self.door.requests.submit(request, request.run_uid)
            self.asked(run_id)
            self.runs.append(run_id)
            self.open.append(run_id)
        self.door.ring()

    def conf(self) -> dict[str, str]:
        """The input of each run."""
        return {}

    def asked(self, run_id: str) -> None:
        """A run has been asked for."""

    def answer(self, run: RunRow) -> None:
        """Say, as a person who has looked at the evidence would, what became of attempts that nobody knows of."""

    def lines(self) -> int:
        """How often a body has left a line."""
        return self.evidence.read_bytes().count(b"\n") if self.evidence.exists() else 0

    def let_bodies_run(self, count: int) -> None:
        """Until that many more bodies have run, or every run has ended."""
        target = self.lines() + count
        self.home.wait_for("bodies run", lambda: self.lines() >= target or self.has_ended())

    def look(self) -> None:
        """Look at every open run: what was seen before must still stand in its history; answer what is asked."""
        for run_id in tuple(self.open):
            run = self.door.reads.run(self.dag_id, run_id)
            now, before = self.door.reads.history(run.run_key), self.seen.get(run_id, [])
            assert now[: len(before)] == before, f"{run_id} has lost or changed what was recorded"
            self.seen[run_id] = now
            self.answer(run)
            if run.is_ended:
                self.open.remove(run_id)

    def has_ended(self) -> bool:
        self.look()
        return not self.open

    def losses(self) -> int:
        return sum(isinstance(fact.event, ActivityLost) for history in self.seen.values() for fact in history)
