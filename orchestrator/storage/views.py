"""What ``Reads`` hands out: frozen rows, moments aware and in UTC, durations in seconds."""

from datetime import datetime
from enum import StrEnum

import msgspec

from orchestrator.core.forms import Form
from orchestrator.core.particulars import NULL, PayloadRef
from orchestrator.core.spec import DagSpec
from orchestrator.names import BlockKind, DagKind, RunState, RunType, TaskState
from orchestrator.ports import ImportFailure


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    """How long it took; None until both moments are known. 0 where the clock was set back by more than that."""
    return None if start is None or end is None else max(0.0, (end - start).total_seconds())


class DagRow(msgspec.Struct, frozen=True, kw_only=True):
    """A DAG as it stands now. ``header`` is its spec without the tasks, of which there are ``task_count``."""

    dag_id: str
    kind: DagKind
    header: DagSpec
    task_count: int
    version_id: int
    version_number: int
    is_paused: bool
    is_stale: bool
    unpaused_at: datetime
    created_at: datetime


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One version of a DAG; ``number`` counts 1, 2, 3 … within the DAG, ``version_id`` over all."""

    version_id: int
    dag_id: str
    number: int
    fingerprint: str
    code_fingerprint: str
    file: str
    task_count: int
    created_at: datetime


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How far a home has come: the position of its newest fact, and the revision of its catalog of DAGs."""

    position: int
    revision: int


class RunChange(msgspec.Struct, frozen=True, kw_only=True):
    """That a run has recorded facts, the last at ``position`` (of all runs) and ``seq`` (of its own): about itself,
    about its tasks, or both. ``is_new``: the first of them made it."""

    position: int
    run_key: int
    dag_id: str
    run_id: str
    seq: int
    is_new: bool
    of_run: bool
    of_tasks: bool


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """A run. ``blocked`` says of which kind the trouble is that its workflow's code is in, and ``reason`` what it is.

    ``run_key`` is 0 while the run is only asked for (``is_pending``): no scheduler has taken it up yet.

    ``open_callbacks`` is how many have still to end, ``failed_callbacks`` how many have raised.

    ``request_id`` is that of a pending run's request, else 0; ``version_id`` 0 and ``version_number`` 0 while pending.
    """

    run_key: int
    run_uid: str
    dag_id: str
    run_id: str
    run_type: RunType
    state: RunState
    reason: str = ""
    version_id: int = 0
    version_number: int = 0
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    slot: datetime | None = None
    is_paused: bool = False
    is_cancelling: bool = False
    blocked: BlockKind | None = None
    created_at: datetime
    started_at: datetime | None = None
    ended_at: datetime | None = None
    last_seq: int = 0
    triggered_by: str = ""
    note: str | None = None
    is_pending: bool = False
    request_id: int = 0
    open_callbacks: int = 0
    failed_callbacks: int = 0

    @property
    def is_ended(self) -> bool:
        return self.ended_at is not None

    @property
    def duration(self) -> float | None:
        return seconds_between(self.started_at, self.ended_at)


class ActivityRow(msgspec.Struct, frozen=True, kw_only=True):
    """One task at one map_index in one run; ``attempt`` 0 where it was never handed out.

    ``asked_seq`` is the seq of the fact by which it asks a person, None where it asks nothing.
    """

    run_key: int
    task_id: str
    map_index: int
    state: TaskState = TaskState.NONE
    attempt: int = 0
    generation: int = 1
    failures: int = 0
    losses: int = 0
    scheduled_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    retry_at: datetime | None = None
    scheduled_seq: int = 0
    result_seq: int = 0
    length: int | None = None
    worker: str = ""
    pool: str = "default_pool"
    pool_slots: int = 1
    operator: str = "PythonOperator"
    asked_seq: int | None = None
    rendered_map_index: str | None = None

    @property
    def duration(self) -> float | None:
        return seconds_between(self.started_at, self.ended_at)


class AwaitingRow(msgspec.Struct, frozen=True, kw_only=True):
    """An activity that waits for a person. It asks ``form``, in the fact ``seq``; or its outcome is unknown, and there
    is none. ``until`` is when its time runs out, if it does.
    """

    run_key: int
    dag_id: str
    run_id: str
    task_id: str
    map_index: int
    attempt: int
    since: datetime | None = None
    until: datetime | None = None
    seq: int = 0
    form: Form | None = None


class AnswerRow(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has said to a task: the ``options`` and ``params`` of an answer to the question ``subject``; or
    that an outcome that was unknown is ``state``, none for to be tried again.
    """

    id: int
    at: datetime
    by: str
    dag_id: str
    run_id: str
    task_id: str
    map_index: int = -1
    subject: str = ""
    options: tuple[str, ...] = ()
    params: msgspec.Raw = msgspec.Raw(b"{}")
    state: TaskState | None = None

    @property
    def who(self) -> str:
        return self.by.rpartition(":")[2]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """A recorded result: ``value`` is its JSON, unless ``payload`` says where that lies."""

    value: msgspec.Raw = NULL
    payload: PayloadRef | None = None


class ImportErrorRow(msgspec.Struct, frozen=True, kw_only=True):
    """Why a DAG file has no DAGs, or not all of them, just now; or what it was warned of."""

    file: str
    failure: ImportFailure
    at: datetime


class FileRow(msgspec.Struct, frozen=True, kw_only=True):
    """The last parse of a DAG file; ``duration`` in seconds."""

    file: str
    digest: str
    duration: float
    parsed_at: datetime
    dag_ids: tuple[str, ...]
    task_count: int
    has_failed: bool


class PoolRow(msgspec.Struct, frozen=True, kw_only=True):
    """A pool and the slots that open attempts hold; ``slots`` -1 means no limit."""

    name: str
    slots: int
    description: str
    queued: int
    running: int

    @property
    def open(self) -> int | None:
        """Slots that are free; None where there is no limit."""
        return None if self.slots < 0 else max(0, self.slots - self.queued - self.running)


class OpenCount(msgspec.Struct, frozen=True, kw_only=True):
    """Attempts that are queued or running, of one task in one pool, and the slots that they hold."""

    dag_id: str
    task_id: str
    pool: str
    attempts: int
    slots: int


class AuditRow(msgspec.Struct, frozen=True, kw_only=True):
    """Who did what. ``refusal`` says why a request was not carried out; ``body`` is what was asked for, JSON."""

    id: int
    at: datetime
    by: str
    action: str
    dag_id: str | None = None
    run_id: str | None = None
    body: msgspec.Raw
    request_id: int | None = None
    refusal: str | None = None

    @property
    def who(self) -> str:
        return self.by.rpartition(":")[2]

    @property
    def via(self) -> str:
        """How they came: ``cli``, ``session``, ``oidc``, ``token:ID``; nothing for the program itself."""
        return self.by.rpartition(":")[0]

    @property
    def outcome(self) -> str:
        return "done" if self.refusal is None else "refused"


class Verdict(StrEnum):
    """What became of a request."""

    PENDING = "pending"
    CARRIED_OUT = "carried_out"
    REFUSED = "refused"


class RequestRow(msgspec.Struct, frozen=True, kw_only=True):
    """A request and what became of it."""

    id: int
    verdict: Verdict
    refusal: str | None = None


class SchedulerRow(msgspec.Struct, frozen=True, kw_only=True):
    """The scheduler that holds, or last held, this database. ``owner`` is host:pid, ``seen`` its last sign of life."""

    owner: str
    since: datetime
    seen: datetime
    expires_at: datetime
    epoch: int

    def is_alive(self, now: datetime) -> bool:
        """Whether it has shown a sign of life lately; one that was killed looks alive for some seconds more."""
        return now < self.expires_at
