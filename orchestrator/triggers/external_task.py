"""Waits for runs of another DAG, for tasks in them, or for a group of these."""

from collections.abc import AsyncIterator, Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from orchestrator.authoring.neighbours import neighbours
from orchestrator.authoring.trigger import BaseTrigger, TriggerEvent
from orchestrator.core.spec import DagSpec
from orchestrator.names import TaskState
from orchestrator.triggers.news import when_so

__all__ = ["DagStateTrigger", "WorkflowTrigger"]


class WorkflowTrigger(BaseTrigger):
    """Fires once all runs of ``external_dag_id`` with these ids, or else logical dates, are in ``allowed_states``: with
    ``{"status": "success"}``. One in ``failed_states`` fires with "failed" at once, else one in ``skipped_states`` with
    "skipped"; ``state`` says in which.

    With ``external_task_ids`` or ``external_task_group_id`` it is those tasks in the runs, each of their instances,
    that have to be. It looks every ``poke_interval`` seconds, if anything has happened in this home.
    """

    def __init__(
        self,
        external_dag_id: str,
        run_ids: Sequence[str] | None = None,
        execution_dates: Sequence[datetime] | None = None,
        logical_dates: Sequence[datetime] | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        failed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        allowed_states: Iterable[str] | None = None,
        poke_interval: float = 2.0,
        soft_fail: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.external_dag_id = external_dag_id
        self.run_ids = None if run_ids is None else list(run_ids)
        self.logical_dates = list(logical_dates or execution_dates or ())
        self.external_task_ids = None if external_task_ids is None else list(external_task_ids)
        self.external_task_group_id = external_task_group_id
        self.failed_states = list(failed_states or ())
        self.skipped_states = list(skipped_states or ())
        self.allowed_states = list(allowed_states or ()) or [TaskState.SUCCESS.value]
        self.poke_interval = poke_interval
        self.soft_fail = soft_fail

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("external_dag_id", "run_ids", "logical_dates", "external_task_ids", "external_task_group_id")
        more = ("failed_states", "skipped_states", "allowed_states", "poke_interval", "soft_fail")
        return "orchestrator.triggers.external_task.WorkflowTrigger", {name: vars(self)[name] for name in names + more}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        yield TriggerEvent(await when_so(self.verdict, self.poke_interval))

    def verdict(self) -> dict[str, Any] | None:
        """The payload of the event, if it is time for one."""
        found = [
            states_of(self.external_dag_id, run, self.external_task_ids, self.external_task_group_id)
            for run in self.run_ids or self.logical_dates
        ]
        seen = set().union(*found)
        for status, states in (("failed", self.failed_states), ("skipped", self.skipped_states)):
            if hits := seen.intersection(states):
                return {"status": status, "state": min(hits)}
        is_so = all(states and states.issubset(self.allowed_states) for states in found)
        return {"status": "success"} if is_so else None


class DagStateTrigger(BaseTrigger):
    """Fires once all runs of ``dag_id`` with these ids, or else logical dates, are in one of ``states``.

    The event is what ``serialize`` gives, with the state of each run by its id.
    """

    def __init__(
        self,
        dag_id: str,
        states: Sequence[str],
        run_ids: Sequence[str] | None = None,
        execution_dates: Sequence[datetime] | None = None,
        poll_interval: float = 5.0,
    ) -> None:
        super().__init__()
        self.dag_id = dag_id
        self.states = [str(state) for state in states]
        self.run_ids = None if run_ids is None else list(run_ids)
        self.execution_dates = None if execution_dates is None else list(execution_dates)
        self.poll_interval = poll_interval

    def serialize(self) -> tuple[str, dict[str, Any]]:
        names = ("dag_id", "states", "run_ids", "execution_dates", "poll_interval")
        return "orchestrator.triggers.external_task.DagStateTrigger", {name: vars(self)[name] for name in names}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        found = await when_so(self._found, self.poll_interval)
        classpath, kwargs = self.serialize()
        yield TriggerEvent((classpath, {**kwargs, **found}))

    def _found(self) -> dict[str, str] | None:
        wanted = self.run_ids or self.execution_dates or ()
        states = {run: neighbours().run_state(self.dag_id, run) for run in wanted}
        if not all(state in self.states for state in states.values()):
            return None
        return {run: str(state) for run, state in states.items() if isinstance(run, str)}


def states_of(dag_id: str, run: datetime | str, task_ids: Collection[str] | None, group_id: str | None) -> set[str]:
    """The states of the run of that date or id, or of the tasks, or of the group, in it; none where it is not there."""
    if group_id is not None:
        task_ids = in_group(neighbours().spec(dag_id), group_id)
    if task_ids is None:
        state = neighbours().run_state(dag_id, run)
        return set() if state is None else {state}
    return set().union(*neighbours().task_states(dag_id, run, task_ids).values())


def in_group(spec: DagSpec | None, group_id: str) -> list[str]:
    """The tasks of a group and of the groups inside of it."""
    tasks = () if spec is None else spec.tasks
    groups = () if spec is None else spec.groups
    inside = {one.group_id for one in groups if one.group_id == group_id}
    for one in groups:  # outer before inner
        if one.parent in inside:
            inside.add(one.group_id)
    return [task.task_id for task in tasks if task.group in inside]
