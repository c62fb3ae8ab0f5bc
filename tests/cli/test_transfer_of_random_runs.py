"""Histories of every kind, from simulated worlds, go out of one home and into another and stay what they are."""

import json
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import example, given, settings

from orchestrator.core.events import Recorded, RunCreated, RunMoved
from orchestrator.core.plan import Plan
from orchestrator.core.runs import replay
from orchestrator.exceptions import NotFoundError
from orchestrator.ports import Group, Part
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projected import all_places
from orchestrator.testing.scenario import Scenario
from orchestrator.testing.simulation import Simulation
from orchestrator.testing.turmoil import Turmoil
from tests.cli.homes import START, FilledHome, run_command
from tests.simulation.blue_world import world
from tests.simulation.test_simulation import SCENARIOS
from tests.simulation.test_turmoil import TURMOILS
from tests.simulation.test_workflow_simulation import SHAPES, live

Lines = list[dict[str, Any]]


def keep(sim: Simulation, folder: Path) -> FilledHome:
    """A home that has recorded what the simulation has."""
    folder.mkdir()
    home = FilledHome(folder)
    versions: dict[int, int] = {}
    for number in count(1):
        try:
            spec = sim.store.spec(number)
        except NotFoundError:
            break
        home.add_dag(spec)
        versions[number] = home.reads.dag(spec.dag_id).version_id
    store = SqlHistoryStore(home.engine)
    store.claim("test:1")
    for _, facts in sim.histories():
        write(home, store, [at_home(fact, versions) for fact in facts])
    store.release()
    return home


def at_home(fact: Recorded, versions: dict[int, int]) -> Recorded:
    if isinstance(fact.event, RunCreated | RunMoved):
        event = msgspec.structs.replace(fact.event, version_id=versions[fact.event.version_id])
        return msgspec.structs.replace(fact, event=event)
    return fact


def write(home: FilledHome, store: SqlHistoryStore, facts: list[Recorded]) -> None:
    (run_key,) = store.reserve_run_keys(1)
    run = replay(run_key, facts, lambda version_id: Plan(home.reads.spec(version_id), version_id))
    part = Part(run=run, after=0, records=facts, activities=tuple(all_places(run)))
    assert not store.commit(Group(at=START, parts=[part]))


def facts_of(text: str) -> Lines:
    """What happened, but for the mark that it was imported, and versions of its own home that it did not go on with."""
    found = [line for line in map(json.loads, text.splitlines()) if line["line"] == "fact"]
    found[0]["body"].pop("imported", None)
    for line in found:
        line["body"].pop("instead_of", None)
    return found


def command(home: FilledHome, *words: str) -> str:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ORCHESTRATOR_HOME", str(home.folder))
        said = run_command(*words)
    assert said.status == 0, said.err
    return said.out


def goes_around(sim: Simulation) -> None:
    """Every run is exported, imported elsewhere and exported again: the same facts, the same states, the same bytes."""
    with tempfile.TemporaryDirectory() as folder:
        here, there = keep(sim, Path(folder, "here")), FilledHome(made(Path(folder, "there")))
        try:
            for run in here.reads.runs(limit=1000):
                path = Path(folder, "run.jsonl")
                command(here, "runs", "export", run.dag_id, run.run_id, str(path))
                command(there, "runs", "import", str(path))
                first, again = (
                    path.read_text(encoding="utf-8"),
                    command(there, "runs", "export", run.dag_id, run.run_id),
                )
                assert facts_of(again) == facts_of(first)
                copy = there.reads.run(run.dag_id, run.run_id)
                assert states(there, copy.run_key) == states(here, run.run_key)
                assert (copy.state, copy.started_at, copy.last_seq) == (run.state, run.started_at, run.last_seq)
        finally:
            here.close()
            there.close()


def made(folder: Path) -> Path:
    folder.mkdir()
    return folder


def states(home: FilledHome, run_key: int) -> list[Any]:
    rows = home.reads.activities(run_key)
    return [msgspec.structs.replace(row, run_key=0) for row in rows]


@settings(max_examples=6)
@given(scenario=SCENARIOS)
def test_a_random_run_goes_out_of_one_home_and_into_another(scenario: Scenario) -> None:
    goes_around(scenario.run())


# A person has put a run on a version that is not its DAG's.
PUT_ON_ANOTHER_VERSION = Turmoil(seed=0, dags=1, tasks=4, meddling=0.8)


@settings(max_examples=3)
@example(PUT_ON_ANOTHER_VERSION)
@given(turmoil=TURMOILS)
def test_runs_that_were_moved_cleared_and_marked_do_so_too(turmoil: Turmoil) -> None:
    goes_around(turmoil.run())


def test_runs_of_workflows_do_so_too() -> None:
    goes_around(live(world(), *SHAPES))
