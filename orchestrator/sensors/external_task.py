"""Waits for another DAG: for its run of a date, for tasks in that, or for a group of them."""

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from orchestrator.authoring.callables import call
from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.deferrable import is_deferrable
from orchestrator.authoring.neighbours import neighbours
from orchestrator.authoring.operators.empty import EmptyOperator
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator
from orchestrator.exceptions import (
    AirflowExternalTaskSensorException,
    AirflowSkipException,
    ExternalDagFailedError,
    ExternalDagNotFoundError,
    ExternalTaskFailedError,
    ExternalTaskGroupFailedError,
    ExternalTaskGroupNotFoundError,
    ExternalTaskNotFoundError,
    UsageError,
)
from orchestrator.names import RunState, TaskState
from orchestrator.nearest import did_you_mean
from orchestrator.triggers.external_task import WorkflowTrigger, states_of

__all__ = ["ExternalTaskMarker", "ExternalTaskSensor"]


class ExternalTaskSensor(BaseSensorOperator):
    """Waits until DAG ``external_dag_id`` has a run of this run's logical date that is in one of ``allowed_states``.

    With ``external_task_id``, ``external_task_ids`` or ``external_task_group_id`` it is those tasks in that run, each
    of their instances, that have to be. ``execution_delta`` is how much earlier that run's date is, or
    ``execution_date_fn`` gives it from this one's, or several. One in ``failed_states`` fails the sensor, one in
    ``skipped_states`` skips it. ``check_existence``: it fails where there is no such DAG, task or group.
    ``deferrable``: a trigger looks every ``poll_interval`` seconds, and no worker is held.
    """

    template_fields: Sequence[str] = (
        "external_dag_id",
        "external_task_id",
        "external_task_ids",
        "external_task_group_id",
    )

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str | None = None,
        external_task_ids: Collection[str] | None = None,
        external_task_group_id: str | None = None,
        allowed_states: Iterable[str] | None = None,
        skipped_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        execution_delta: timedelta | None = None,
        execution_date_fn: Callable[..., Any] | None = None,
        check_existence: bool = False,
        poll_interval: float = 2.0,
        deferrable: bool | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.external_task_ids = external_task_ids or None
        self.external_task_group_id = external_task_group_id
        self.allowed_states = list(allowed_states or ()) or [TaskState.SUCCESS.value]
        self.skipped_states = list(skipped_states or ())
        self.failed_states = list(failed_states or ())
        self.execution_delta = execution_delta
        self.execution_date_fn = execution_date_fn
        self.check_existence = check_existence
        self.poll_interval = poll_interval
        self.deferrable = is_deferrable(deferrable)
        self._check()

    def _check(self) -> None:
        what = f"sensor {self.task_id!r}"
        named = (self.external_task_id, self.external_task_ids, self.external_task_group_id)
        if sum(one is not None for one in named) > 1:
            raise self.place.refuse(
                f"{what}: external_task_id, external_task_ids and external_task_group_id exclude each other; give one"
            )
        if self.execution_delta is not None and self.execution_date_fn is not None:
            raise self.place.refuse(f"{what}: execution_delta and execution_date_fn exclude each other; give one")
        states = [*self.allowed_states, *self.skipped_states, *self.failed_states]
        known = {str(state) for state in (RunState if named == (None, None, None) else TaskState)}
        for state in states:
            if state not in known:
                raise self.place.refuse(f"{what}: there is no state {state!r}{did_you_mean(str(state), sorted(known))}")
        if len(set(states)) < len(states):
            raise self.place.refuse(f"{what}: a state is allowed, skipped or failed, and only one of these")

    def execute(self, context: Context) -> Any:
        if not self.deferrable:
            return super().execute(context)
        if not self._poke(context):
            trigger = WorkflowTrigger(
                self.external_dag_id,
                logical_dates=self._dates(context),
                external_task_ids=self._named_tasks(),
                external_task_group_id=self.external_task_group_id,
                failed_states=self.failed_states,
                skipped_states=self.skipped_states,
                allowed_states=self.allowed_states,
                poke_interval=self.poll_interval,
            )
            self.defer(trigger=trigger, method_name="execute_complete", timeout=self._left(context))
        return None

    def execute_complete(self, context: Context, event: Any = None) -> None:  # noqa: ARG002 - Airflow's signature
        """What the trigger has seen counts as if it had been poked for."""
        self._judge(event["status"], event.get("state"))

    def poke(self, context: Context) -> bool:
        """Whether all dates have what is waited for."""
        if self.check_existence:
            self._look_for_it()
        found = [self._states(date) for date in self._dates(context)]
        seen = set().union(*found)
        if bad := seen.intersection(self.failed_states):
            self._judge("failed", min(bad))
        if skipped := seen.intersection(self.skipped_states):
            self._judge("skipped", min(skipped))
        return all(states and states.issubset(self.allowed_states) for states in found)

    def _judge(self, status: str, state: str | None) -> None:
        if status == "failed":
            raise self._failure(f"{self._what()} is {state}, which is among failed_states")
        if status == "skipped":
            raise AirflowSkipException(f"{self._what()} is {state}, which is among skipped_states")

    def _failure(self, message: str) -> AirflowExternalTaskSensorException:
        if self.external_task_group_id is not None:
            return ExternalTaskGroupFailedError(message)
        return ExternalDagFailedError(message) if self._named_tasks() is None else ExternalTaskFailedError(message)

    def _states(self, date: datetime) -> set[str]:
        return states_of(self.external_dag_id, date, self._named_tasks(), self.external_task_group_id)

    def _named_tasks(self) -> list[str] | None:
        """The tasks to wait for, unless it is a group, or the run as a whole."""
        if self.external_task_ids is not None:
            return list(self.external_task_ids)
        return None if self.external_task_id is None else [self.external_task_id]

    def _what(self) -> str:
        parts = self.external_task_id or self.external_task_ids or self.external_task_group_id
        of_it = f", {parts!r}," if parts else ""
        return f"DAG {self.external_dag_id!r}{of_it}"

    def _look_for_it(self) -> None:
        spec = neighbours().spec(self.external_dag_id)
        if spec is None:
            raise ExternalDagNotFoundError(f"there is no DAG {self.external_dag_id!r} to wait for")
        known = [task.task_id for task in spec.tasks]
        for task_id in self._named_tasks() or ():
            if task_id not in known:
                raise ExternalTaskNotFoundError(
                    f"DAG {spec.dag_id!r} has no task {task_id!r} to wait for{did_you_mean(task_id, known)}"
                )
        group = self.external_task_group_id
        if group is not None and group not in {one.group_id for one in spec.groups}:
            raise ExternalTaskGroupNotFoundError(f"DAG {spec.dag_id!r} has no group {group!r} to wait for")

    def _dates(self, context: Context) -> list[datetime]:
        date = context.get("logical_date")
        if date is None:
            raise UsageError(f"sensor {self.task_id!r} waits for a run of this run's logical date, and it has none")
        if self.execution_delta is not None:
            return [_plain(date - self.execution_delta)]
        if self.execution_date_fn is None:
            return [_plain(date)]
        found = call(self.execution_date_fn, (date,), {}, context)
        return [_plain(one) for one in (found if isinstance(found, list | tuple | set) else [found])]


def _plain(date: Any) -> datetime:
    if not isinstance(date, datetime):
        raise UsageError(f"a logical date must be a datetime, not {date!r}")
    return plain_utc(date)


class ExternalTaskMarker(EmptyOperator):
    """Says which task of another DAG waits for this one, for people to read: clearing here clears nothing there."""

    def __init__(
        self,
        *,
        external_dag_id: str,
        external_task_id: str,
        logical_date: str | datetime | None = "{{ logical_date.isoformat() }}",
        recursion_depth: int = 10,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        self.external_dag_id = external_dag_id
        self.external_task_id = external_task_id
        self.logical_date = logical_date
        self.recursion_depth = recursion_depth
