"""A simulated world in which workflows run: their code in real machines, their activities as plain Python."""

import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from orchestrator.authoring.activity import Activity
from orchestrator.authoring.blue import Definition
from orchestrator.authoring.collecting import collecting
from orchestrator.authoring.compiling import compile_dag
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.inventory import inventory
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.core import values
from orchestrator.core.activations import Activation
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    Recorded,
    RunEnded,
)
from orchestrator.core.orders import Order
from orchestrator.core.particulars import NULL
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import AirflowFailException
from orchestrator.testing.sim_executor import Script
from orchestrator.testing.sim_replayer import SimReplayer
from orchestrator.testing.simulation import Simulation

with inventory() as _made, collecting() as _dags:
    from tests.simulation import flows

ACTIVITIES = {one.activity_id: one for one in _made if isinstance(one, Activity)}
CODE: dict[tuple[str, int], Definition] = {}
SPECS: dict[str, DagSpec] = {}


def load(dag: DAG, version: int = 1) -> DagSpec:
    """Take up a workflow, as if it had a file of its own: its spec; its code is found by the number of its version."""
    assert isinstance(dag, WorkflowDag)
    file = f"{dag.dag_id}.py"
    dag.adopt(file, _made)
    CODE[dag.dag_id, version] = dag.workflow
    return compile_dag(dag, file=file, defaults=Defaults())


for _dag in _dags:
    SPECS[_dag.dag_id] = load(_dag)


def code_of(told: Activation) -> Definition:
    """The code of the version that is told of; those of the world itself have one each."""
    return CODE.get((told.dag_id, told.version_id)) or CODE[told.dag_id, 1]


def act(order: Order) -> Script:
    """Do what the activity says; the first two attempts of an unsteady one fail."""
    assert order.call != NULL, f"{order.key} was handed out without its input"
    if order.key.task_id == "unsteady" and order.key.attempt <= 2:
        return Script(outcome="fail")
    given = values.decode(order.call)
    try:
        result = ACTIVITIES[order.key.task_id].function(*given["args"], **given["kwargs"])
    except AirflowFailException:
        return Script(outcome="fail_for_good")
    return Script(result=values.encode(result))


def world(
    *,
    crash_when: Callable[[int], bool] = lambda _: False,
    script: Callable[[Order], Script] = act,
    replaying: dict[str, Any] | None = None,
    specs: Iterable[DagSpec] = SPECS.values(),
    **settings: Any,
) -> Simulation:
    sim = Simulation(
        script=script,
        crash_when=crash_when,
        make_replayer=lambda clock: SimReplayer(clock, code_of, **(replaying or {})),
        **settings,
    )
    for spec in specs:
        sim.store.add_dag(spec)
    return sim


def ends(sim: Simulation, *dag_ids: str) -> dict[tuple[str, str], tuple[str, Any]]:
    """How each run (of these) has ended: its state, and what it returned or why it failed."""
    found = {}
    for (dag_id, run_id), (_, facts) in zip(sim.run_names(), sim.histories(), strict=True):
        if dag_ids and dag_id not in dag_ids:
            continue
        (end,) = [fact.event for fact in facts if isinstance(fact.event, RunEnded)] or [None]
        assert end is not None, f"run {run_id} of {dag_id} never ended; last came {facts[-1]}"
        found[dag_id, run_id] = (end.state.value, values.decode(end.result) if not end.reason else end.reason)
    return found


def calls(facts: list[Recorded]) -> list[tuple[str, str]]:
    """What was asked for, in an order that does not depend on what came first."""
    asked = [fact.event for fact in facts if isinstance(fact.event, ActivityRequested)]
    return sorted((event.task_id, bytes(event.input).decode()) for event in asked)


def completions(facts: list[Recorded]) -> Iterator[tuple[str, int]]:
    for fact in facts:
        if isinstance(fact.event, ActivityCompleted):
            yield fact.event.task_id, fact.event.map_index


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(values.encode(value))


def dice(seed: str, rate: float) -> Callable[[int], bool]:
    chance = random.Random(seed)
    return lambda _: chance.random() < rate


__all__ = ["ACTIVITIES", "SPECS", "act", "calls", "completions", "dice", "ends", "flows", "load", "raw", "world"]
