"""Starts a run of another DAG."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, Final

import pendulum

from orchestrator.authoring.checks import choice
from orchestrator.authoring.deferral import Deferral
from orchestrator.authoring.neighbours import has_neighbours, neighbours
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import UsageError
from orchestrator.names import ParentClose, RunState, RunType

__all__ = ["XCOM_LOGICAL_DATE_ISO", "XCOM_RUN_ID", "TriggerDagRunOperator"]

XCOM_LOGICAL_DATE_ISO = "trigger_logical_date_iso"
XCOM_RUN_ID = "trigger_run_id"
_NOW: Final = object()


class TriggerDagRunOperator(BaseOperator):
    """Starts a run of DAG ``trigger_dag_id`` with ``conf``; the run goes on whatever becomes of this one.

    The run and this task's part in it are recorded at once, so there is exactly one, whatever crashes.
    ``wait_for_completion``: the task ends when the run does, holding no worker meanwhile, and so ``deferrable`` and
    ``poke_interval`` change nothing: nobody looks, the end is told. It succeeds if the end is one of ``allowed_states``
    and none of ``failed_states``. The run's id is that of ``trigger_run_id``, or made from ``logical_date``; the XCom
    ``trigger_run_id`` is what it came to. ``reset_dag_run``: where there is a run of that id, all of its tasks are done
    anew, with the conf that it has; that is not waited for.
    """

    template_fields: Sequence[str] = (
        "trigger_dag_id",
        "trigger_run_id",
        "logical_date",
        "conf",
        "wait_for_completion",
        "skip_when_already_exists",
    )

    def __init__(
        self,
        *,
        trigger_dag_id: str,
        trigger_run_id: str | None = None,
        conf: Mapping[str, Any] | None = None,
        logical_date: str | datetime | object | None = _NOW,
        reset_dag_run: bool = False,
        wait_for_completion: bool = False,
        poke_interval: int = 60,
        allowed_states: Iterable[str] | None = None,
        failed_states: Iterable[str] | None = None,
        skip_when_already_exists: bool = False,
        fail_when_dag_is_paused: bool = False,
        deferrable: bool = False,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        if reset_dag_run and (wait_for_completion or skip_when_already_exists):
            other = "wait_for_completion" if wait_for_completion else "skip_when_already_exists"
            raise self.place.refuse(
                f"task {self.task_id!r}: reset_dag_run=True and {other}=True do not go together; leave one of them out"
            )
        self.reset_dag_run = reset_dag_run
        self.trigger_dag_id = trigger_dag_id
        self.trigger_run_id = trigger_run_id
        self.conf = conf
        self.logical_date = None if logical_date is _NOW else logical_date
        self.wait_for_completion = wait_for_completion
        self.poke_interval = poke_interval
        self.allowed_states = self._states("allowed_states", allowed_states or [RunState.SUCCESS])
        self.failed_states = self._states(
            "failed_states", [RunState.FAILED] if failed_states is None else failed_states
        )
        self.skip_when_already_exists = skip_when_already_exists
        self.fail_when_dag_is_paused = fail_when_dag_is_paused
        self.deferrable = deferrable

    def _states(self, name: str, states: Iterable[str]) -> list[str]:
        check = choice(RunState)
        try:
            return [check(state) for state in states]
        except ValueError as error:
            raise self.place.refuse(f"task {self.task_id!r}: each of {name} must be {error}") from None

    def execute(self, context: Context) -> Deferral:  # noqa: ARG002 - all that it needs is in its fields
        """The run, to be started, and perhaps waited for; UsageError if its DAG does not take the conf."""
        date, conf = self._date(), self._conf()
        self._check(conf)
        run_id = self.trigger_run_id or (f"{RunType.MANUAL}__{date.isoformat()}" if date else None)
        wish = {
            "dag_id": self.trigger_dag_id,
            "conf": conf,
            "run_id": run_id,
            "close": ParentClose.ABANDON.value,
            "logical_date": date.isoformat() if date else None,
            "wait": bool(self.wait_for_completion),
            "allowed_states": sorted({*self.allowed_states} - {*self.failed_states}),
            "if_taken": self._if_taken(),
            "if_paused": "fail" if self.fail_when_dag_is_paused else "queue",
            "push_as": XCOM_RUN_ID,
        }
        return Deferral({"run": wish})

    def _if_taken(self) -> str:
        if self.skip_when_already_exists:
            return "skip"
        return "reset" if self.reset_dag_run else "fail"

    def _conf(self) -> Any:
        try:
            conf = json.loads(json.dumps({} if self.conf is None else self.conf))
        except (TypeError, ValueError) as error:
            raise UsageError(f"task {self.task_id!r}: conf must be plain JSON: {error}") from None
        if not isinstance(conf, dict):
            raise UsageError(f"task {self.task_id!r}: conf must be a dict, not {self.conf!r}")
        return conf

    def _check(self, conf: dict[str, Any]) -> None:
        """By what is recorded of the DAG; where there is none, the engine says so."""
        spec = neighbours().spec(self.trigger_dag_id) if has_neighbours() else None
        if spec is None or not (spec.param_schemas or spec.entrance):
            return
        try:
            # JSON Schema costs each worker that loads such a file more than all else in it, and most DAGs declare none.
            import_module("orchestrator.authoring.conf").check_conf(spec, conf)
        except UsageError as error:
            raise UsageError(f"task {self.task_id!r} starts no run of {self.trigger_dag_id!r}: {error}") from None

    def _date(self) -> datetime | None:
        given: Any = self.logical_date
        try:
            found = pendulum.parse(given) if isinstance(given, str) else given
        except ValueError:
            found = given
        if found is not None and not isinstance(found, datetime):
            raise UsageError(f"task {self.task_id!r}: logical_date must be a datetime or its text, not {given!r}")
        return found.replace(tzinfo=UTC) if found is not None and found.tzinfo is None else found
