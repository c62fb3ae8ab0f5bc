"""Past: what a task with ``depends_on_past`` waits for in the run before its own.

The run before is the last one of the DAG with an earlier logical date; where the DAG catches up, of those that are not
manual. Which it is, and what it had become, is asked when a task is ready, and is no part of a run's history.
"""

from collections.abc import Iterable, Mapping

import msgspec

from orchestrator.core.activity import Activity, Node
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.names import TaskState

GOOD = frozenset({TaskState.SUCCESS, TaskState.SKIPPED})
_UNTOUCHED = Activity()
_WORDS = {
    TaskState.FAILED: "failed",
    TaskState.UPSTREAM_FAILED: "did not run because an upstream failed",
    TaskState.NONE: "has not started",
}


class RunBefore(msgspec.Struct, frozen=True, kw_only=True):
    """The run before another."""

    run_key: int
    run_id: str


class Obstacle(msgspec.Struct, frozen=True, kw_only=True):
    """What a task waits for: a task of the run before that has not come to a good end, or is not in it (no state)."""

    run_key: int
    run_id: str
    task_id: str
    state: TaskState | None

    def __str__(self) -> str:
        if self.state is None:
            return f"task {self.task_id} of run {self.run_id}, which has no such task (ignore_first_depends_on_past)"
        return f"task {self.task_id} of run {self.run_id}, which {_WORDS.get(self.state, f'is {self.state}')}"


def looks_at(plan: Plan, task: TaskSpec) -> tuple[str, ...]:
    """The tasks of the run before that it waits for."""
    return (task.task_id, *(plan.downstream[task.task_id] if task.wait_for_downstream else ()))


def leaves_out_manual(run: Run) -> bool:
    """Whether manual runs do not count as the one before: a DAG that catches up goes by its schedule."""
    return run.plan.spec.catchup


def obstacle(
    task: TaskSpec,
    names: tuple[str, ...],
    before: RunBefore,
    states: Mapping[str, frozenset[TaskState]],
    *,
    is_new: bool,
) -> Obstacle | None:
    """What keeps a task from starting, if anything does. ``names`` are what it looks at; ``states`` lacks tasks that
    are not in that run. ``is_new``: no earlier run has had the task.
    """
    for name in names:
        if name not in states:
            if name != task.task_id or (is_new and task.ignore_first_depends_on_past):
                continue
            return Obstacle(run_key=before.run_key, run_id=before.run_id, task_id=name, state=None)
        if bad := states[name] - GOOD:
            return Obstacle(run_key=before.run_key, run_id=before.run_id, task_id=name, state=worst(bad))
    return None


def worst(states: frozenset[TaskState]) -> TaskState:
    """The one to speak of: a failure before all others, since somebody has to see to it."""
    return min(states, key=lambda state: (state is not TaskState.FAILED, state is not TaskState.UPSTREAM_FAILED, state))


def states_of(run: Run, names: Iterable[str]) -> dict[str, frozenset[TaskState]]:
    """What has become of these tasks of a run; those that it has not are left out."""
    return {name: _states(run.nodes[name]) for name in names if name in run.nodes}


def _states(node: Node) -> frozenset[TaskState]:
    return frozenset((node.peek(index) or _UNTOUCHED).state for index in node.indexes()) or frozenset({node.one.state})
