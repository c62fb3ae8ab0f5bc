"""DagSpec: a DAG as plain data, with a canonical fingerprint."""

import hashlib
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, TypeAlias

import msgspec

from orchestrator.names import CallbackKind, DagKind, Delivery, Isolation, NewVersion, RunType, TriggerRule, WeightRule


class RetryRule(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What to do when an attempt fails with one kind of exception.

    ``exception`` is the class's dotted path or bare name; it matches the raised class and, unless ``exact``, its bases.
    """

    exception: str
    retry: bool = True
    retry_delay: timedelta | None = None
    exact: bool = False


class RetrySpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often and when a failed task is tried again.

    ``exponential`` is the factor between delays (1 = fixed, Airflow's True = 2); ``jitter`` is the share of
    a delay, 0 to 1, that is drawn from a hash of the attempt's identity. ``rules`` are looked at in order.
    """

    retries: int = 0
    delay: timedelta = timedelta(seconds=300)
    exponential: float = 1.0
    max_delay: timedelta = timedelta(hours=24)
    jitter: float = 0.0
    rules: tuple[RetryRule, ...] = ()


class Fixed(msgspec.Struct, frozen=True, tag="fixed"):
    """A number that stands in the file."""

    count: int


class LengthOf(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="of"):
    """How many items a task's result has, or the part of it under ``key``; of a mapped task, how many results."""

    task_id: str
    key: str | None = None


class Shortest(msgspec.Struct, frozen=True, tag="shortest"):
    """As many as the shortest of its parts has: a zip."""

    parts: "tuple[Length, ...]"


class Longest(msgspec.Struct, frozen=True, tag="longest"):
    """As many as the longest of its parts has: a zip that is filled up."""

    parts: "tuple[Length, ...]"


class Total(msgspec.Struct, frozen=True, tag="total"):
    """As many as its parts have together: one after another."""

    parts: "tuple[Length, ...]"


Length: TypeAlias = Fixed | LengthOf | Shortest | Longest | Total


class Mapping(msgspec.Struct, frozen=True):
    """How a task, or a group of tasks, is mapped: one instance for each combination of the items of its factors,
    the last factor varying fastest.
    """

    factors: tuple[Length, ...]

    @property
    def literal(self) -> tuple[int, ...] | None:
        """The shape where it stands in the file."""
        counts = tuple(factor.count for factor in self.factors if isinstance(factor, Fixed))
        return counts if len(counts) == len(self.factors) else None

    def renamed(self, names: dict[str, str]) -> "Mapping":
        """The same with other names for some tasks."""
        return Mapping(tuple(_renamed(factor, names) for factor in self.factors))


def mapping_over(*factors: int | str) -> Mapping:
    """Over that many things, or over the result of the task of that id, each combined with each."""
    return Mapping(tuple(Fixed(f) if isinstance(f, int) else LengthOf(task_id=f) for f in factors))


def producers(mapping: Mapping) -> frozenset[str]:
    """The tasks whose results say how many instances there are."""
    return frozenset(part.task_id for part in leaves(mapping))


def leaves(mapping: Mapping) -> Iterator[LengthOf]:
    """The results whose lengths are counted."""
    for factor in mapping.factors:
        yield from _leaves(factor)


def _renamed(length: Length, names: dict[str, str]) -> Length:
    if isinstance(length, Fixed):
        return length
    if isinstance(length, LengthOf):
        return msgspec.structs.replace(length, task_id=names.get(length.task_id, length.task_id))
    return type(length)(tuple(_renamed(part, names) for part in length.parts))


def _leaves(length: Length) -> Iterator[LengthOf]:
    if isinstance(length, LengthOf):
        yield length
    elif not isinstance(length, Fixed):
        for part in length.parts:
            yield from _leaves(part)


class GroupSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A group of tasks. ``group_id`` is the full one, ``parent`` that of the group around it, empty at the top.

    ``upstream`` and ``downstream`` are what the group as a whole was joined with, for those who draw it: group ids or
    task ids; the edges themselves stand in the tasks.
    """

    group_id: str
    parent: str = ""
    display_name: str | None = None
    tooltip: str | None = None
    mapping: Mapping | None = None
    upstream: tuple[str, ...] = ()
    downstream: tuple[str, ...] = ()


class TaskSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One node. ``weight`` is the effective priority; ``inputs`` are the tasks whose results it is given.

    ``group`` is the innermost group that it stands in, ``scopes`` are the mapped ones around it, outermost first;
    ``start_date`` and ``end_date`` are the first and the last logical date of the runs in which it is done, where its
    DAG has others. ``depends_on_past``: it waits for itself in the run before, ``wait_for_downstream``: and for what
    follows on it there (see ``past``). ``labels`` say what the edge from an upstream means.
    ``callbacks`` are the kinds that it has.
    ``mapped_over`` and ``map_shape`` are of version 0.1.0 and not written any more: ``own_mapping`` has what they say.
    """

    task_id: str
    operator: str = "PythonOperator"
    line: int = 0
    upstream: tuple[str, ...] = ()
    inputs: tuple[str, ...] = ()
    trigger_rule: TriggerRule = TriggerRule.ALL_SUCCESS
    retry: RetrySpec = RetrySpec()
    execution_timeout: timedelta | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    priority_weight: int = 1
    weight_rule: WeightRule = WeightRule.DOWNSTREAM
    weight: int = 1
    pool: str = "default_pool"
    pool_slots: int = 1
    queue: str = "default"
    max_active_tis_per_dag: int | None = None
    max_active_tis_per_dagrun: int | None = None
    depends_on_past: bool = False
    wait_for_downstream: bool = False
    ignore_first_depends_on_past: bool = True
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    connection: str | None = None
    isolation: Isolation = Isolation.WARM
    group: str = ""
    labels: dict[str, str] = {}
    display_name: str | None = None
    mapping: Mapping | None = None
    mapped_over: tuple[str, ...] = ()
    map_shape: tuple[int, ...] | None = None
    scopes: tuple[str, ...] = ()
    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False
    does_nothing: bool = False
    is_activity: bool = False
    heartbeat_timeout: timedelta | None = None
    callbacks: tuple[CallbackKind, ...] = ()
    doc: str | None = None

    @property
    def is_mapped(self) -> bool:
        """Whether its activities have map indexes; those of a workflow's activity count its calls."""
        return self.depth > 0 or self.is_activity

    @property
    def depth(self) -> int:
        """How many mappings make its map indexes: those of the groups around it, and its own."""
        return len(self.scopes) + (self.own_mapping is not None)

    @property
    def own_mapping(self) -> Mapping | None:
        """What it is mapped over by itself, whatever the groups around it are."""
        if self.mapping is None and (self.mapped_over or self.map_shape is not None):
            return mapping_over(*(self.map_shape or self.mapped_over))
        return self.mapping


class Once(msgspec.Struct, frozen=True, tag="once"):
    """Run a single time, at start_date or as soon as the DAG is there."""


class Cron(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="cron"):
    """Five fields, or six with seconds last (croniter's order), read on the wall clock of ``timezone``.

    ``interval`` False (Airflow 3's default): the data interval is empty and stands at the fire time; True: it reaches
    from the fire time before to this one; a timedelta: it is that long and ends at the fire time. The logical date is
    its start.
    """

    expression: str
    timezone: str = "UTC"
    interval: bool | timedelta = False


class Every(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="every"):
    """A fixed distance of absolute time, counted from start_date; ``interval`` as of Cron."""

    period: timedelta
    interval: bool | timedelta = False


class Several(msgspec.Struct, frozen=True, kw_only=True, tag="several"):
    """Whenever one of them fires; once where several do. All have the same ``interval``, which is not True."""

    crons: tuple[Cron, ...]


class Dates(msgspec.Struct, frozen=True, tag="dates"):
    """At these moments, in UTC and in order, each once; the data intervals are empty."""

    moments: tuple[datetime, ...]


class PlannedSlot(msgspec.Struct, frozen=True, array_like=True):
    """A moment that a timetable of an author has named, with the data interval; all in UTC."""

    fire_at: datetime
    start: datetime
    end: datetime


class Planned(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, tag="planned"):
    """As the author's class ``timetable`` says: ``slots`` are those that it has named so far, in order.

    They are no part of a version: the fingerprint leaves them out, and the next plan takes their place.
    """

    timetable: str
    slots: tuple[PlannedSlot, ...] = ()


Schedule: TypeAlias = Once | Cron | Every | Several | Dates | Planned


class Entrance(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A way into a workflow: its own parameters, a signal, a query or an update.

    ``schema`` is the JSON Schema of what it takes: of a signal's payload, else of an object of arguments by name.
    """

    name: str
    schema: dict[str, Any] = {}
    doc: str | None = None


class DagSpec(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A DAG. ``tasks`` stand in topological order, ties by task_id; ``file`` is relative to dags_folder;
    ``allowed_run_types`` are those of its runs, any where there are none.

    Of a workflow, ``tasks`` are the activities that it can call, and ``entrance`` says what it is called with.
    ``callbacks`` are the kinds that its runs call.
    """

    dag_id: str
    kind: DagKind = DagKind.DAG
    file: str = ""
    line: int = 0
    description: str | None = None
    doc_md: str | None = None
    tags: tuple[str, ...] = ()
    owner: str = "airflow"
    schedule: Schedule | None = None
    schedule_text: str | None = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    catchup: bool = False
    max_active_runs: int = 16
    max_consecutive_failed_dag_runs: int = 0
    max_active_tasks: int = 16
    dagrun_timeout: timedelta | None = None
    fail_fast: bool = False
    allowed_run_types: tuple[RunType, ...] = ()
    is_paused_upon_creation: bool | None = None
    params: dict[str, Any] = {}
    param_schemas: dict[str, dict[str, Any]] = {}
    tasks: tuple[TaskSpec, ...] = ()
    groups: tuple[GroupSpec, ...] = ()
    display_name: str | None = None
    on_new_version: NewVersion = NewVersion.PIN
    entrance: Entrance | None = None
    signals: tuple[Entrance, ...] = ()
    queries: tuple[Entrance, ...] = ()
    updates: tuple[Entrance, ...] = ()
    callbacks: tuple[CallbackKind, ...] = ()

    def task(self, task_id: str) -> TaskSpec:
        """The task of that id; KeyError if there is none."""
        for task in self.tasks:
            if task.task_id == task_id:
                return task
        raise KeyError(task_id)


_PLACE_ONLY = {"file": "", "line": 0}


def fingerprint(spec: DagSpec) -> str:
    """The SHA-256 (hex) of what the spec means: not its file, its line numbers or the order of a dict."""
    tasks = tuple(msgspec.structs.replace(task, line=0) for task in sorted(spec.tasks, key=lambda t: t.task_id))
    bare = msgspec.structs.replace(unplanned(spec), tasks=tasks, **_PLACE_ONLY)
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()


def unplanned(spec: DagSpec) -> DagSpec:
    """The spec without the slots that a timetable has named."""
    if not isinstance(spec.schedule, Planned):
        return spec
    return msgspec.structs.replace(spec, schedule=Planned(timetable=spec.schedule.timetable))


def encode_spec(spec: DagSpec) -> bytes:
    """The spec as JSON, for storage."""
    return msgspec.json.encode(spec)


_decoder = msgspec.json.Decoder(DagSpec)


def decode_spec(data: bytes | str) -> DagSpec:
    """The spec that ``encode_spec`` wrote."""
    return _decoder.decode(data)
