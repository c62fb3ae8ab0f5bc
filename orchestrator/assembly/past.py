"""Past: what the tasks of an open run wait for in the run before, for those who ask why."""

from orchestrator.assembly.folding import folded
from orchestrator.assembly.home import Home
from orchestrator.core.past import Obstacle, RunBefore, leaves_out_manual, looks_at, obstacle, states_of
from orchestrator.core.run import Run
from orchestrator.core.spec import TaskSpec
from orchestrator.names import TaskState
from orchestrator.storage.views import RunRow

_FOR_SOMEBODY = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED})


def obstacles(home: Home, row: RunRow, run: Run) -> dict[str, Obstacle]:
    """By task, what keeps it from starting in the run before; ``run`` is the state of ``row``."""
    tasks = [node.task for node in run.nodes.values() if node.task.depends_on_past and not node.is_over]
    if run.is_ended or not tasks:
        return {}
    before = home.reads.run_before(row, but_manual=leaves_out_manual(run))
    if before is None:
        return {}
    past = folded(home, before)
    found = ((task.task_id, _obstacle(home, row, run, task, past)) for task in tasks)
    return {task_id: one for task_id, one in found if one is not None}


def spoken_of(found: Obstacle, dag_id: str) -> str:
    """The same in words, and what to do where nothing goes on by itself."""
    if found.state not in _FOR_SOMEBODY:
        return str(found)
    clear = f"`orchestrator tasks clear {dag_id} {found.task_id} '{found.run_id}'`"
    return f"{found}; clear it with {clear}"


def _obstacle(home: Home, row: RunRow, run: Run, task: TaskSpec, past: Run) -> Obstacle | None:
    names = looks_at(run.plan, task)
    is_new = task.task_id not in past.nodes and not home.reads.has_had_before(row, task.task_id)
    before = RunBefore(run_key=past.run_key, run_id=past.run_id)
    return obstacle(task, names, before, states_of(past, names), is_new=is_new)
