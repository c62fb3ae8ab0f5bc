"""Differences: what changed from one version of a DAG to the next."""

import msgspec

from orchestrator.core.spec import DagSpec, TaskSpec


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """Task ids that came, went and changed; ``settings``: the DAG's own changed. Where all is empty, the code did."""

    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    settings: bool = False

    @property
    def words(self) -> str:
        """In a line."""
        signs = (("+", self.added), ("-", self.removed), ("~", self.changed))
        tasks = [f"{sign}{name}" for sign, names in signs for name in names]
        return ", ".join([*tasks, *(["settings"] if self.settings else [])]) or "code"


def difference(old: DagSpec, new: DagSpec) -> Difference:
    """What changed; where a thing stands in its file does not count."""
    before = {task.task_id: _bare(task) for task in old.tasks}
    after = {task.task_id: _bare(task) for task in new.tasks}
    return Difference(
        added=tuple(name for name in after if name not in before),
        removed=tuple(name for name in before if name not in after),
        changed=tuple(name for name, task in after.items() if name in before and before[name] != task),
        settings=_header(old) != _header(new),
    )


def _bare(task: TaskSpec) -> TaskSpec:
    return msgspec.structs.replace(task, line=0)


def _header(spec: DagSpec) -> DagSpec:
    return msgspec.structs.replace(spec, tasks=(), file="", line=0)
