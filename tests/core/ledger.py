"""A run under test: facts go in one after another, a second apart."""

from datetime import UTC, datetime, timedelta
from typing import Any

from orchestrator.core.activity import Activity, Upstreams
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, AnyEvent, Recorded, RunCreated, RunReset
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay, take_in
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import FINISHED, UNMAPPED, RunType, TaskState

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)


def at(second: float) -> datetime:
    return EPOCH + timedelta(seconds=second)


def tasks(*edges: str, **fields: dict[str, Any]) -> tuple[TaskSpec, ...]:
    """``tasks("a", "b: a", b={"pool": "db"})``: tasks with their upstreams, and more fields by task_id."""
    found = []
    for edge in edges:
        name, _, upstream = edge.partition(":")
        found.append(TaskSpec(task_id=name, upstream=tuple(upstream.split()), **fields.get(name, {})))
    return tuple(found)


class Ledger:
    """A history and the run that is folded from it. Version n of the DAG is the n-th plan."""

    def __init__(self, *versions: tuple[TaskSpec, ...], **spec: Any) -> None:
        self.plans = [
            Plan(DagSpec(dag_id="shop", tasks=version, **spec), number) for number, version in enumerate(versions)
        ]
        created = RunCreated(
            dag_id="shop", run_id="r1", run_uid="uid", run_type=RunType.MANUAL, version_id=0, fingerprint="v0"
        )
        self.facts = [Recorded(1, EPOCH, created)]
        self.run = Run(7, self.plans[0], self.facts[0])

    def add(self, *events: AnyEvent) -> None:
        for event in events:
            fact = Recorded(len(self.facts) + 1, at(len(self.facts)), event)
            self.facts.append(fact)
            self.run.apply(fact)

    def move(self, event: AnyEvent, version: int) -> None:
        self.add(event)
        self.run.move(self.plans[version])

    def reset(self, seq: int) -> None:
        """Back to where it was at ``seq``."""
        fact = Recorded(len(self.facts) + 1, at(len(self.facts)), RunReset(seq=seq))
        self.facts.append(fact)
        take_in(self.run, fact, lambda version: self.plans[version], lambda: self.facts)

    def succeed(self, *names: str) -> None:
        """Each has an attempt that completes."""
        for name in names:
            attempt = self.run.next_attempt(name, UNMAPPED)
            self.add(ActivityScheduled(task_id=name, attempt=attempt), ActivityCompleted(task_id=name, attempt=attempt))

    def replayed(self) -> Run:
        return replay(7, self.facts, lambda version: self.plans[version])

    def activity(self, task_id: str, map_index: int = UNMAPPED) -> Activity:
        return self.run.nodes[task_id].activity(map_index)

    def state(self, task_id: str, map_index: int = UNMAPPED) -> TaskState:
        activity = self.run.nodes[task_id].peek(map_index)
        return TaskState.NONE if activity is None else activity.state

    def states(self) -> dict[str, str]:
        """The state of each task, of a mapped one all of them."""
        return {
            name: " ".join(str(self.state(name, index)) for index in node.indexes())
            for name, node in self.run.nodes.items()
        }


def counts(up: Upstreams) -> dict[str, int]:
    return {name: getattr(up, name) for name in Upstreams.__slots__}


def recounted(run: Run, task_id: str) -> dict[str, int]:
    """What the counters of a task's upstreams must be, from the states themselves."""
    up = Upstreams()
    for name in run.nodes[task_id].task.upstream:
        node = run.nodes[name]
        up.total += len(node.indexes())
        up.setups += len(node.indexes()) if node.task.is_setup else 0
        for map_index in node.indexes():
            activity = node.peek(map_index)
            if activity is not None and activity.state in FINISHED:
                up.count(activity.state, 1, setup=node.task.is_setup)
    return counts(up)


def check(run: Run) -> None:
    """The invariants of a run's state."""
    places = [(name, index) for name, node in run.nodes.items() for index in node.indexes()]
    found = {place: run.nodes[place[0]].peek(place[1]) for place in places}
    states = {place: TaskState.NONE if one is None else one.state for place, one in found.items()}
    assert run.unfinished == sum(state not in FINISHED for state in states.values())
    for name, node in run.nodes.items():
        assert counts(node.upstreams) == recounted(run, name)
        bad = (TaskState.FAILED, TaskState.UPSTREAM_FAILED)
        assert node.bad == sum(states[name, index] in bad for index in node.indexes())
    working = (TaskState.QUEUED, TaskState.RUNNING, TaskState.RESTARTING)
    assert {place for place in places if states[place] in working} <= set(run.open)
    for place, attempt in run.open.items():
        one = found[place]
        assert one is not None
        assert one.attempt == attempt
        assert one.state in working or one.state in FINISHED, "only what was marked by a person may be open besides"
