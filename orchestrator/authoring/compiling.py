"""Compiling: from the author's DAG to its DagSpec."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from orchestrator.authoring.airflow_only import AIRFLOW_TASK_SETTINGS, supported
from orchestrator.authoring.assets import BaseAsset
from orchestrator.authoring.callbacks import kinds_of
from orchestrator.authoring.checks import check_all, refuse_unknown
from orchestrator.authoring.construction import Constructed, accepted_names
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.dates import plain_utc
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.params import ParamsDict
from orchestrator.authoring.place import Place
from orchestrator.authoring.scopes import check_setups
from orchestrator.authoring.settings import DAG_CHECKS, TASK_CHECKS, WrittenSchedule
from orchestrator.authoring.task import Task
from orchestrator.authoring.timetable import Timetable
from orchestrator.authoring.zones import zone_name
from orchestrator.core.graph import effective_weights, topological, validate
from orchestrator.core.spec import Cron, DagSpec, Dates, Every, Once, Planned, Schedule, Several, TaskSpec
from orchestrator.core.timetables import parse_schedule
from orchestrator.exceptions import ScheduleError, UsageError
from orchestrator.names import RunType, TriggerRule

__all__ = ["Defaults", "compile_dag"]

_DATES = ("start_date", "end_date")


def compile_dag(dag: DAG, *, file: str, defaults: Defaults) -> DagSpec:
    """The DAG as plain data: tasks in topological order, with effective weights, all of it checked.

    ``file`` is the DAG file, relative to dags_folder. DagError, with file and line, about the first thing that is
    wrong.
    """
    _check(dag)
    draft = msgspec.structs.replace(_draft(dag, file, defaults), **dag.spec_fields())
    validate(draft)
    weights = effective_weights(draft)
    tasks = tuple(_weighted(task, weights[task.task_id]) for task in topological(draft.tasks))
    return msgspec.structs.replace(draft, tasks=tasks)


def _weighted(task: TaskSpec, weight: int) -> TaskSpec:
    return task if task.weight == weight else msgspec.structs.replace(task, weight=weight)


def _draft(dag: DAG, file: str, defaults: Defaults) -> DagSpec:
    """Everything but the order and the weights of the tasks."""
    zone = _zone(dag, defaults)
    return DagSpec(
        dag_id=dag.dag_id,
        file=file,
        line=dag.place.line if _is_same_file(dag.fileloc, file) else 0,
        description=dag.description,
        doc_md=dag.doc_md,
        tags=dag.tags or (),
        owner=", ".join(sorted({task.owner for task in dag.tasks})) or "airflow",
        schedule=_schedule(dag, zone, defaults),
        schedule_text=_schedule_text(dag.schedule),
        start_date=_instant(dag.start_date, zone),
        end_date=_instant(dag.end_date, zone),
        catchup=_or_default(dag.catchup, defaults.catchup),
        max_active_runs=_or_default(dag.max_active_runs, defaults.max_active_runs),
        max_consecutive_failed_dag_runs=_or_default(
            dag.max_consecutive_failed_dag_runs, defaults.max_consecutive_failed_dag_runs
        ),
        max_active_tasks=_or_default(dag.max_active_tasks, defaults.max_active_tasks),
        dagrun_timeout=dag.dagrun_timeout,
        fail_fast=dag.fail_fast,
        allowed_run_types=dag.allowed_run_types or (),
        is_paused_upon_creation=dag.is_paused_upon_creation,
        params=_params(dag),
        param_schemas=_param_schemas(dag),
        on_new_version=dag.on_new_version,
        tasks=tuple(_task(dag, task, file, zone, defaults) for task in dag.tasks),
        groups=tuple(group.spec() for group in dag.task_group_dict.values()),
        display_name=dag.dag_display_name,
        callbacks=kinds_of(dag),
    )


def _task(dag: DAG, task: Task, file: str, zone: str, defaults: Defaults) -> TaskSpec:
    found = task.spec(defaults)
    if task.start_date or task.end_date:
        found = _dated(dag, task, found, zone)
    if _is_same_file(task.place.file, file):
        return found
    return msgspec.structs.replace(found, line=0)  # a line of another file would mislead


def _dated(dag: DAG, task: Task, found: TaskSpec, zone: str) -> TaskSpec:
    """With its own dates, where they leave out runs that its DAG has."""
    start, end = _instant(task.start_date, zone), _instant(task.end_date, zone)
    first, last = _instant(dag.start_date, zone), _instant(dag.end_date, zone)
    if start is not None and end is not None and end < start:
        raise task.place.refuse(f"task {task.task_id!r}: its end_date {end} is before its start_date {start}")
    return msgspec.structs.replace(
        found,
        start_date=None if start is None or (first is not None and start <= first) else start,
        end_date=None if end is None or (last is not None and end >= last) else end,
    )


def _is_same_file(path: str, file: str) -> bool:
    return path == file or path.endswith(f"/{file}")


def _or_default(value: Any, default: Any) -> Any:
    return default if value is None else value


# ── checks ───────────────────────────────────────────────────────────────────────────────────────────────


def _check(dag: DAG) -> None:
    """Settings may have been assigned since the DAG was made."""
    dag.__dict__.update(check_all(dag.place, repr(dag), {name: getattr(dag, name) for name in DAG_CHECKS}, DAG_CHECKS))
    _check_default_args(dag)
    check_setups(dag.tasks)
    _check_partials(dag)
    if dag.catchup and dag.schedule is not None and dag.start_date is None:
        raise dag.place.refuse(f"{dag!r}: catchup=True needs a start_date to catch up from")
    if dag.schedule is not None and RunType.SCHEDULED not in (dag.allowed_run_types or (RunType.SCHEDULED,)):
        raise dag.place.refuse(
            f"{dag!r}: its schedule makes scheduled runs, which allowed_run_types leaves out; add 'scheduled', "
            f"or leave the schedule out"
        )
    if dag.fail_fast:
        _check_fail_fast(dag)


def _check_partials(dag: DAG) -> None:
    for partial in dag.partials:
        if not partial.is_expanded:
            raise partial.place.refuse(
                f"{partial.what}: partial() makes no task by itself; go on with .expand(…), or leave it out"
            )


def _check_default_args(dag: DAG) -> None:
    """A key must be a setting of every task, or something that an operator of this DAG takes."""
    kinds = {type(task) for task in dag.tasks}
    taken = {name for kind in kinds if issubclass(kind, Constructed) for name in accepted_names(kind)}
    given: list[tuple[Place, str, Mapping[str, Any]]] = [(dag.place, repr(dag), dag.default_args)]
    given += ((group.place, repr(group), group.default_args) for group in dag.task_group_dict.values())
    for place, owner, default_args in given:
        what = f"{owner}, default_args"
        others = {name: value for name, value in default_args.items() if name not in taken and name not in _DATES}
        refuse_unknown(place, what, supported(place, what, others, AIRFLOW_TASK_SETTINGS), taken | {*TASK_CHECKS})


def _check_fail_fast(dag: DAG) -> None:
    for task in dag.tasks:
        if task.trigger_rule is not TriggerRule.ALL_SUCCESS and not task.is_teardown:
            raise task.place.refuse(
                f"task {task.task_id!r} has trigger_rule {task.trigger_rule!s}, but {dag!r} has fail_fast=True, "
                f"which allows all_success only; remove one of the two"
            )


def _params(dag: DAG) -> dict[str, Any]:
    """The params as a run will see them: JSON, since a run's conf is JSON too. Those that a run has to give are not
    among them."""
    given = ParamsDict(dag.params).given()
    for name, value in given.items():
        try:
            msgspec.json.encode(value)
        except (TypeError, ValueError, OverflowError) as error:
            raise dag.place.refuse(f"{dag!r}: param {name!r} must be a JSON value: {error}") from None
    _check_declared(dag, given)
    return dict(msgspec.json.decode(msgspec.json.encode(given)))


def _check_declared(dag: DAG, given: Mapping[str, Any]) -> None:
    for name, param in ParamsDict(dag.params).declared.items():
        if name in given:
            try:
                param.resolve()
            except UsageError as error:
                raise dag.place.refuse(f"{dag!r}: the default of param {name!r} does not fit: {error}") from None
        elif dag.schedule is not None:
            raise dag.place.refuse(
                f"{dag!r} has a schedule, but a scheduled run is given no param {name!r}; give it a default, or remove "
                f"schedule="
            )


def _param_schemas(dag: DAG) -> dict[str, dict[str, Any]]:
    """What the declared params may be."""
    declared = ParamsDict(dag.params).declared
    found = {
        name: one.schema | ({"description": one.description} if one.description else {})
        for name, one in declared.items()
    }
    return dict(msgspec.json.decode(msgspec.json.encode(found)))


# ── when it runs ─────────────────────────────────────────────────────────────────────────────────────────


def _zone(dag: DAG, defaults: Defaults) -> str:
    """The name of the DAG's time zone: ``timezone=``, else that of start_date, else the configured one."""
    zone = dag.timezone or (dag.start_date.tzinfo if dag.start_date is not None else None)
    if zone is None:
        return defaults.timezone
    name = zone_name(zone)
    if name is None:
        raise dag.place.refuse(f"{dag!r}: {zone} has no name; give timezone= an IANA name such as 'Asia/Kolkata'")
    return name


def _instant(moment: datetime | None, zone: str) -> datetime | None:
    """``moment`` in UTC; one without a zone of its own is on the wall clock of the DAG's."""
    if moment is None:
        return None
    return plain_utc(moment if moment.tzinfo is not None else moment.replace(tzinfo=ZoneInfo(zone)))


def _schedule(dag: DAG, zone: str, defaults: Defaults) -> Schedule | None:
    value: Any = dag.schedule
    if isinstance(value, Schedule):
        return value
    if isinstance(value, Timetable):
        value.validate()
        return Planned(timetable=type(value).__qualname__)
    if any(isinstance(one, BaseAsset) for one in (value if isinstance(value, list | tuple) else (value,))):
        message = f"{dag!r}: assets start no runs here; give it a schedule of times, or trigger its runs"
        raise ScheduleError(message, file=dag.place.file, line=dag.place.line)
    try:
        found = parse_schedule(value, zone)
    except ScheduleError as error:
        raise ScheduleError(f"{dag!r}: {error.message}", file=dag.place.file, line=dag.place.line) from None
    if isinstance(found, Cron) and defaults.cron_intervals:
        return msgspec.structs.replace(found, interval=True)
    return found


def _schedule_text(value: WrittenSchedule) -> str | None:
    """The schedule as people write it."""
    match value:
        case Once():
            return "@once"
        case Cron():
            return value.expression
        case Every():
            return str(value.period)
        case Several():
            return ", ".join(cron.expression for cron in value.crons)
        case Timetable():
            return str(value.summary)
        case Dates():
            return _dates_text(value)
        case _:
            return None if value is None else str(value)


def _dates_text(dates: Dates) -> str:
    count = len(dates.moments)
    return f"{dates.moments[0].isoformat()}{f' and {count - 1} more' if count > 1 else ''}"
