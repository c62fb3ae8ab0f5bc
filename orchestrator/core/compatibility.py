"""Compatibility: what a new version of a DAG means to a run that is open. Pure policy: two specs and a Run."""

from collections.abc import Iterable, Iterator
from enum import IntEnum

import msgspec

from orchestrator.core.activity import Activity, Node
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.names import FINISHED, DagKind, TaskState

_JUDGED = frozenset({TaskState.SKIPPED, TaskState.UPSTREAM_FAILED})
_AT_WORK = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.RESTARTING, TaskState.DEFERRED})


class Meaning(IntEnum):
    """What a change means to a run, from the least to the most."""

    COMPATIBLE = 0  # the run can go over as if nothing had changed for it
    DECISION = 1  # it can go over, and a person should say whether it is meant so
    BREAKS = 2  # something recorded would be done again, or cut off in the middle

    @property
    def words(self) -> str:
        return ("compatible", "needs a decision", "breaks")[self]


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One change and what it means; ``task_id`` is empty for what concerns the run as a whole.

    ``old_line`` and ``new_line`` are in the files of the two versions, 0 where the task is not in it; ``where`` is the
    place, as file:line, where the code of a workflow stands.
    """

    meaning: Meaning
    task_id: str
    message: str
    old_line: int = 0
    new_line: int = 0
    where: str | None = None


def worst(findings: Iterable[Finding]) -> Meaning:
    """What all of them together mean."""
    return max((finding.meaning for finding in findings), default=Meaning.COMPATIBLE)


def compare(run: Run, new: DagSpec) -> list[Finding]:
    """What moving the open ``run`` of a static DAG to ``new`` means, task by task; empty where nothing changes for it.

    Whether a workflow's code fits its history only a replay can say; of one, what is found here is its kind alone.
    """
    old = run.plan.spec
    if old.kind is not new.kind:
        message = f"the {old.kind} has become a {new.kind}: nothing that is recorded means anything to it"
        return [Finding(meaning=Meaning.BREAKS, task_id="", message=message, old_line=old.line, new_line=new.line)]
    if old.kind is DagKind.WORKFLOW:
        return []
    comparison = _Comparison(run, new)
    order = {Meaning.BREAKS: 0, Meaning.DECISION: 1, Meaning.COMPATIBLE: 2}
    return sorted(comparison.findings(), key=lambda finding: order[finding.meaning])


def renamed(old: DagSpec, new: DagSpec) -> dict[str, str]:
    """The tasks that seem to have another name now: those that stand where one is gone, and are alike in all else."""
    gone = [task for task in old.tasks if task.task_id not in {one.task_id for one in new.tasks}]
    fresh = [task for task in new.tasks if task.task_id not in {one.task_id for one in old.tasks}]
    names: dict[str, str] = {}
    for task in gone:
        alike = [one for one in fresh if one.task_id not in names.values() and _bare(one, {}) == _bare(task, names)]
        if len(alike) == 1:
            names[task.task_id] = alike[0].task_id
    return names


def _bare(task: TaskSpec, names: dict[str, str]) -> TaskSpec:
    """The task without its own name and place, and its upstreams by the names that they have now."""
    return msgspec.structs.replace(
        task,
        task_id="",
        line=0,
        weight=1,
        doc=None,
        upstream=tuple(sorted(names.get(name, name) for name in task.upstream)),
        inputs=tuple(sorted(names.get(name, name) for name in task.inputs)),
        mapping=None if task.own_mapping is None else task.own_mapping.renamed(names),
    )


class _Comparison:
    """The tasks of both versions, and what the run has recorded of them."""

    def __init__(self, run: Run, new: DagSpec) -> None:
        self._run = run
        self._old = {task.task_id: task for task in run.plan.spec.tasks}
        self._new = {task.task_id: task for task in new.tasks}
        self._names = renamed(run.plan.spec, new)
        self._spec = new

    def findings(self) -> Iterator[Finding]:
        for task_id in self._old:
            if task_id not in self._new:
                yield self._removed(task_id)
        for task_id in self._new:
            if task_id not in self._old:
                yield self._added(task_id)
            else:
                yield from self._changed(self._old[task_id], self._new[task_id])

    def _finding(self, meaning: Meaning, task_id: str, message: str) -> Finding:
        old, new = self._old.get(task_id), self._new.get(task_id)
        return Finding(
            meaning=meaning,
            task_id=task_id,
            message=message,
            old_line=0 if old is None else old.line,
            new_line=0 if new is None else new.line,
        )

    # ── tasks that come and go ───────────────────────────────────────────────────────────────────────────

    def _removed(self, task_id: str) -> Finding:
        node = self._run.nodes[task_id]
        now = self._names.get(task_id)
        if now is not None and _has_acted(node):
            message = f"it seems to be renamed to {now!r}: what is recorded of it is lost, and it would run again"
            return msgspec.structs.replace(
                self._finding(Meaning.BREAKS, task_id, message), new_line=self._new[now].line
            )
        if _is_at_work(node):
            return self._finding(Meaning.BREAKS, task_id, "it is removed while it runs: its attempt would be ended")
        if any(activity.is_asking for activity in _activities(node)):
            message = "it is removed while it asks a person: nobody is asked any more"
            return self._finding(Meaning.DECISION, task_id, message)
        if _is_in(node, TaskState.AWAITING_INPUT):
            message = "it is removed while its outcome is unknown: nobody would say what became of it"
            return self._finding(Meaning.DECISION, task_id, message)
        if _is_in(node, TaskState.UP_FOR_RETRY):
            return self._finding(
                Meaning.DECISION, task_id, "it is removed after a failure: it would not be tried again"
            )
        if _has_acted(node):
            return self._finding(Meaning.COMPATIBLE, task_id, "it is removed; it has run, and its record stays")
        return self._finding(Meaning.COMPATIBLE, task_id, "it is removed; it has not run yet")

    def _added(self, task_id: str) -> Finding:
        after = Plan(self._spec).behind(task_id)
        late = self._finished(name for name in self._new if name in after)
        if task_id in self._names.values() or not late:
            return self._finding(Meaning.COMPATIBLE, task_id, "it is added")
        message = f"it is added before {_listed(late)}, which has ended: it would run after what it should precede"
        return self._finding(Meaning.DECISION, task_id, message)

    def _finished(self, task_ids: Iterable[str]) -> list[str]:
        nodes = self._run.nodes
        return [name for name in task_ids if name in nodes and name in self._new and _is_finished(nodes[name])]

    # ── tasks of both ────────────────────────────────────────────────────────────────────────────────────

    def _changed(self, old: TaskSpec, new: TaskSpec) -> Iterator[Finding]:
        node, task_id = self._run.nodes[old.task_id], old.task_id
        if (old.is_mapped, old.depth) != (new.is_mapped, new.depth):
            yield self._remapped(node, old, new)
        elif (old.own_mapping, old.scopes) != (new.own_mapping, new.scopes):
            is_late = node.shape is not None
            message = "it is mapped over something else" + (": it keeps the indexes that it has" if is_late else "")
            yield self._finding(Meaning.DECISION if is_late else Meaning.COMPATIBLE, task_id, message)
        if set(old.upstream) != set(new.upstream):
            yield from self._rewired(node, old, new)
        if old.trigger_rule is not new.trigger_rule:
            yield self._ruled(node, old, new)
        if (old.delivery, old.connection) != (new.delivery, new.connection):
            yield self._delivered(node, old, new)
        if old.operator != new.operator and (_is_at_work(node) or _is_in(node, TaskState.UP_FOR_RETRY)):
            message = f"it has become a {new.operator} while an attempt by {old.operator} is not over"
            yield self._finding(Meaning.DECISION, task_id, message)

    def _remapped(self, node: Node, old: TaskSpec, new: TaskSpec) -> Finding:
        change = "now" if not old.is_mapped else "in another way"
        what = f"it is mapped {change}" if new.is_mapped else "it is not mapped any more"
        if _has_acted(node):
            message = f"{what}: what is recorded of it is lost, and it would run again"
            return self._finding(Meaning.BREAKS, new.task_id, message)
        return self._finding(Meaning.COMPATIBLE, new.task_id, what)

    def _rewired(self, node: Node, old: TaskSpec, new: TaskSpec) -> Iterator[Finding]:
        more = [name for name in new.upstream if name not in old.upstream and name in self._old]
        late = [name for name in more if not _is_finished(self._run.nodes[name])]
        if late and _has_begun(node):
            message = f"it waits for {_listed(late)} now, and has begun before that ended"
            yield self._finding(Meaning.DECISION, new.task_id, message)
        elif more or set(old.upstream) - set(new.upstream) - self._names.keys():
            yield self._finding(Meaning.COMPATIBLE, new.task_id, "it waits for other tasks now")

    def _ruled(self, node: Node, old: TaskSpec, new: TaskSpec) -> Finding:
        what = f"its trigger rule was {old.trigger_rule} and is {new.trigger_rule}"
        if any(activity.state in _JUDGED for activity in _activities(node)):
            message = f"{what}: what the old rule decided stays"
            return self._finding(Meaning.DECISION, new.task_id, message)
        return self._finding(Meaning.COMPATIBLE, new.task_id, what)

    def _delivered(self, node: Node, old: TaskSpec, new: TaskSpec) -> Finding:
        what = f"its delivery was {old.delivery} and is {new.delivery}"
        if old.delivery is new.delivery:
            what = f"its connection was {old.connection} and is {new.connection}"
        if any(_is_undecided(activity) for activity in _activities(node)):
            message = f"{what}: an attempt under the old one is not over"
            return self._finding(Meaning.BREAKS, new.task_id, message)
        return self._finding(Meaning.COMPATIBLE, new.task_id, what)


# ── what is recorded of a task ───────────────────────────────────────────────────────────────────────────────


def _activities(node: Node) -> list[Activity]:
    return [activity for _, activity in node.activities()]


def _has_acted(node: Node) -> bool:
    """Whether any body of it may have run."""
    return any(activity.attempt > 0 for activity in _activities(node))


def _has_begun(node: Node) -> bool:
    return _has_acted(node) or any(activity.state in FINISHED for activity in _activities(node))


def _is_finished(node: Node) -> bool:
    """Whether all of it has ended; a task that was skipped does not count, since nothing of it has happened."""
    done = [activity for activity in _activities(node) if activity.state in FINISHED]
    return len(done) >= node.size and any(activity.attempt > 0 for activity in done)


def _is_in(node: Node, state: TaskState) -> bool:
    return any(activity.state is state for activity in _activities(node))


def _is_at_work(node: Node) -> bool:
    return any(activity.state in _AT_WORK for activity in _activities(node))


def _is_undecided(activity: Activity) -> bool:
    """Whether it has been handed out and has not come to its end."""
    return activity.attempt > 0 and activity.state not in FINISHED and activity.state is not TaskState.NONE


def _listed(names: list[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more"
