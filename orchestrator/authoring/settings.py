"""The settings of tasks and of DAGs: their names, types and checks, each declared once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, tzinfo
from os import PathLike
from typing import Any, Required, TypeAlias, TypedDict

from jinja2 import Undefined

from orchestrator.authoring.alerts import addresses
from orchestrator.authoring.assets import BaseAsset
from orchestrator.authoring.callbacks import Callback, callbacks
from orchestrator.authoring.checks import (
    Check,
    anything,
    backoff,
    choice,
    duration,
    flag,
    folders,
    instance,
    mapping,
    moment,
    names,
    number,
    optional,
    several,
    subclass,
    text,
    whole,
    zone,
)
from orchestrator.authoring.params import checked_params
from orchestrator.authoring.retrying import RetryPolicy
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Group, TaskGraph
from orchestrator.authoring.timetable import BuiltInTimetable, Timetable
from orchestrator.core.spec import Schedule
from orchestrator.names import Delivery, Isolation, NewVersion, RunType, TriggerRule, WeightRule

Duration: TypeAlias = timedelta | float
Callbacks: TypeAlias = Callback | Sequence[Callback] | None
WrittenSchedule: TypeAlias = str | timedelta | Schedule | Timetable | None
ScheduleArg: TypeAlias = WrittenSchedule | BuiltInTimetable


def meaning(schedule: Any) -> Any:
    """What a timetable means; anything else as it is."""
    if isinstance(schedule, BuiltInTimetable):
        if hasattr(schedule, "next_dagrun_info"):
            raise ValueError("a timetable of this package as it is, or one derived from Timetable")
        return schedule.meaning
    return schedule


class AttemptSettings(TypedDict, total=False):
    """What says how the attempts of a body are made, whether or not there is a graph around it."""

    owner: str
    retries: int | None
    retry_delay: Duration | None
    retry_exponential_backoff: bool | float
    max_retry_delay: Duration | None
    retry_jitter: float
    retry_policy: RetryPolicy | None
    execution_timeout: Duration | None
    heartbeat_timeout: Duration | None
    priority_weight: int
    pool: str
    pool_slots: int
    queue: str
    max_active_tis_per_dag: int | None
    max_active_tis_per_dagrun: int | None
    delivery: Delivery | str
    connection: str | None
    isolation: Isolation | str
    doc_md: str | None


class TaskSettings(AttemptSettings, total=False):
    """What every operator and ``@task`` takes, besides its own arguments. None means the configured default."""

    task_id: Required[str]
    dag: TaskGraph | None
    task_group: Group | None
    default_args: Mapping[str, Any] | None
    pre_execute: Callable[[Context], None] | None
    post_execute: Callable[[Context, Any], None] | None
    weight_rule: WeightRule | str | None
    trigger_rule: TriggerRule | str
    depends_on_past: bool
    wait_for_downstream: bool
    ignore_first_depends_on_past: bool
    params: Mapping[str, Any] | None
    render_template_as_native_obj: bool | None
    task_display_name: str | None
    map_index_template: str | None
    start_date: datetime | None
    end_date: datetime | None
    multiple_outputs: bool | None
    do_xcom_push: bool
    inlets: Sequence[Any] | BaseAsset | None
    outlets: Sequence[Any] | BaseAsset | None
    executor_config: Mapping[str, Any] | None
    resources: Mapping[str, Any] | None
    logger_name: str | None
    email: str | Iterable[str] | None
    email_on_failure: bool | None
    email_on_retry: bool | None
    doc: str | None
    doc_json: str | None
    doc_rst: str | None
    doc_yaml: str | None
    on_execute_callback: Callbacks
    on_success_callback: Callbacks
    on_failure_callback: Callbacks
    on_retry_callback: Callbacks
    on_skipped_callback: Callbacks


WITHOUT_EFFECT = (
    "inlets",
    "outlets",
    "executor_config",
    "resources",
    "logger_name",
    "doc",
    "doc_json",
    "doc_rst",
    "doc_yaml",
)
"""What is kept with the task as it was given, and changes nothing."""
MAKING = ("dag", "task_group", "default_args", "pre_execute", "post_execute")
TASK_CHECKS: dict[str, Check] = {
    "owner": text,
    "retries": optional(whole(0)),
    "retry_delay": optional(duration(zero=True)),
    "retry_exponential_backoff": backoff,
    "max_retry_delay": optional(duration(zero=False)),
    "retry_jitter": number(0, 1),
    "retry_policy": optional(instance(RetryPolicy, "a RetryPolicy such as ExceptionRetryPolicy")),
    "execution_timeout": optional(duration(zero=False)),
    "heartbeat_timeout": optional(duration(zero=False)),
    "priority_weight": whole(),
    "weight_rule": optional(choice(WeightRule)),
    "pool": text,
    "pool_slots": whole(1),
    "queue": text,
    "trigger_rule": choice(TriggerRule),
    "max_active_tis_per_dag": optional(whole(1)),
    "max_active_tis_per_dagrun": optional(whole(1)),
    "depends_on_past": flag,
    "wait_for_downstream": flag,
    "ignore_first_depends_on_past": flag,
    "delivery": choice(Delivery),
    "connection": optional(text),
    "isolation": choice(Isolation),
    "params": optional(checked_params),
    "render_template_as_native_obj": optional(flag),
    "doc_md": optional(text),
    "task_display_name": optional(text),
    "map_index_template": optional(text),
    "start_date": optional(moment),
    "end_date": optional(moment),
    "multiple_outputs": optional(flag),
    "do_xcom_push": flag,
    **dict.fromkeys(WITHOUT_EFFECT, anything),
    "email": optional(addresses),
    "email_on_failure": optional(flag),
    "email_on_retry": optional(flag),
    "on_execute_callback": callbacks,
    "on_success_callback": callbacks,
    "on_failure_callback": callbacks,
    "on_retry_callback": callbacks,
    "on_skipped_callback": callbacks,
}


class DagSettings(TypedDict, total=False):
    """What ``DAG`` and ``@dag`` take, besides the dag_id. None means the configured default, or nothing."""

    description: str | None
    schedule: ScheduleArg
    start_date: datetime | None
    end_date: datetime | None
    timezone: str | tzinfo | None
    catchup: bool | None
    default_args: dict[str, Any] | None
    max_active_tasks: int | None
    max_active_runs: int | None
    max_consecutive_failed_dag_runs: int | None
    dagrun_timeout: Duration | None
    params: dict[str, Any] | None
    tags: Iterable[str] | None
    doc_md: str | None
    fail_fast: bool
    allowed_run_types: Iterable[RunType | str] | None
    is_paused_upon_creation: bool | None
    user_defined_macros: dict[str, Any] | None
    user_defined_filters: dict[str, Callable[..., Any]] | None
    template_searchpath: str | PathLike[str] | Iterable[str | PathLike[str]] | None
    template_undefined: type[Undefined]
    jinja_environment_kwargs: dict[str, Any] | None
    render_template_as_native_obj: bool
    owner_links: dict[str, str] | None
    on_new_version: NewVersion | str
    dag_display_name: str | None
    on_success_callback: Callbacks
    on_failure_callback: Callbacks


DAG_CHECKS: dict[str, Check] = {
    "description": optional(instance(str, "a text")),
    "schedule": meaning,
    "start_date": optional(moment),
    "end_date": optional(moment),
    "timezone": optional(zone),
    "catchup": optional(flag),
    "default_args": optional(mapping),
    "max_active_tasks": optional(whole(1)),
    "max_active_runs": optional(whole(1)),
    "max_consecutive_failed_dag_runs": optional(whole(0)),
    "dagrun_timeout": optional(duration(zero=False)),
    "params": optional(checked_params),
    "tags": optional(names),
    "doc_md": optional(instance(str, "a text")),
    "fail_fast": flag,
    "allowed_run_types": optional(several(RunType)),
    "is_paused_upon_creation": optional(flag),
    "user_defined_macros": optional(mapping),
    "user_defined_filters": optional(mapping),
    "template_searchpath": optional(folders),
    "template_undefined": subclass(Undefined, "a class of jinja2 that derives from Undefined"),
    "jinja_environment_kwargs": optional(mapping),
    "render_template_as_native_obj": flag,
    "owner_links": optional(mapping),
    "on_new_version": choice(NewVersion),
    "dag_display_name": optional(text),
    "on_success_callback": callbacks,
    "on_failure_callback": callbacks,
}
