"""Orders and reports: what an executor is given, and what it says back."""

import hashlib
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeAlias

import msgspec

from orchestrator.core.particulars import NULL, Failure, PayloadRef, XCom
from orchestrator.names import UNMAPPED, AttemptKey, Delivery, FailureKind, Isolation, RunType

Result: TypeAlias = msgspec.Raw | PayloadRef


class Stretch(msgspec.Struct, frozen=True):
    """Some activities of a mapped task, side by side."""

    first: int
    count: int


class Resume(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a body that was deferred goes on with: ``trigger`` as in ActivityDeferred, ``event`` what came of it."""

    trigger: msgspec.Raw
    event: msgspec.Raw = NULL


class Outcome(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What callbacks are told of: how an attempt, or a run, ended, and when.

    ``task_id``, ``map_index`` and ``attempt`` name the attempt; of a run the last one that ended so, if there is one,
    which is in ``task_state``.
    ``reason``: why it was skipped, or in Airflow's word why the run ended.
    """

    state: str
    at: datetime
    task_id: str = ""
    map_index: int = UNMAPPED
    attempt: int = 0
    task_state: str = ""
    reason: str = ""
    failure: Failure | None = None


class Order(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Everything that a worker needs for one attempt.

    ``code`` is the folder of the version's snapshot and ``file`` the DAG file in it; ``inputs`` are the recorded
    results (JSON) of the tasks that this one takes, ``payloads`` those too large to send; ``execution_timeout`` and
    ``heartbeat_timeout`` are in seconds; ``log`` is a path below the log folder, and ``progress`` one below the folder
    of heartbeats that all attempts of a generation share, both made of integers only. ``call`` is the input of an
    activity of a workflow, ``call_payload`` one too large to send.

    Of a mapped task, ``coordinates`` say for each mapped group around it, and for its own mapping, which item of each
    factor this attempt is given; an item that is a result of another mapped task is among ``inputs`` (or ``payloads``)
    by ``item_name``. ``lists`` are the mapped tasks whose results it takes together: they are read when they are
    wanted. ``measured`` are the parts of its own result that others are mapped over, "" for the whole of it.

    ``began_at`` is when this try began for the first time, if it has, and ``pokes`` how often it was rescheduled since;
    what is lost with a worker does not end a try. ``resume``: it was deferred, and goes on from there. ``outcome``:
    what is to be called are the callbacks of that, in place of a body.
    """

    key: AttemptKey
    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    version_id: int
    code: str
    file: str
    idempotency_key: str
    max_tries: int = 1
    try_number: int = 1
    delivery: Delivery = Delivery.AT_LEAST_ONCE
    connection: str | None = None
    isolation: Isolation = Isolation.WARM
    execution_timeout: float | None = None
    queue: str = "default"
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    run_started_at: datetime | None = None
    conf: msgspec.Raw = msgspec.Raw(b"{}")
    params: dict[str, Any] = {}
    inputs: dict[str, msgspec.Raw] = {}
    payloads: dict[str, PayloadRef] = {}
    log: str = ""
    call: msgspec.Raw = NULL
    call_payload: PayloadRef | None = None
    heartbeat_timeout: float | None = None
    progress: str = ""
    coordinates: tuple[tuple[int, ...], ...] = ()
    lists: dict[str, Stretch] = {}
    measured: tuple[str, ...] = ()
    began_at: datetime | None = None
    pokes: int = 0
    resume: Resume | None = None
    outcome: Outcome | None = None


class Started(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The body is about to begin; ``worker`` is host:pid."""

    key: AttemptKey
    at: datetime
    worker: str = ""


class Completed(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The body returned; fields as in ActivityCompleted."""

    key: AttemptKey
    at: datetime
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None
    lengths: dict[str, int] = {}
    skip: tuple[str, ...] = ()
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class Failed(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The attempt failed; the engine decides on another."""

    key: AttemptKey
    at: datetime
    kind: FailureKind = FailureKind.ERROR
    failure: Failure
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class Skipped(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The body ended itself as skipped."""

    key: AttemptKey
    at: datetime
    reason: str = ""
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class Deferred(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """The body gave its worker up.

    It ends when ``trigger`` does: ``{"run": {"dag_id": …, "conf": …}}``, a new run; or goes on with what comes of
    ``{"trigger": {"classpath": …, "kwargs": …}, "method": …, "kwargs": …}``. With ``until`` it is begun again then, if
    nothing came before: from its beginning where there is no trigger, else by the method that is named there. A trigger
    ``{"input": {…}, "method": …}`` is a question to a person, who has time ``until`` then.
    """

    key: AttemptKey
    at: datetime
    trigger: msgspec.Raw = NULL
    until: datetime | None = None
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class Lost(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """Its worker is gone. ``started`` False: the body certainly never began; ``free``: the engine or host went too."""

    key: AttemptKey
    at: datetime
    reason: str
    started: bool = True
    free: bool = False


class TakenBack(msgspec.Struct, frozen=True, kw_only=True, tag=True):
    """The executor gives it back; the body certainly never began."""

    key: AttemptKey
    at: datetime


class Fired(msgspec.Struct, frozen=True, kw_only=True, tag=True, omit_defaults=True):
    """What a deferred attempt waits for has come, by the ActivityDeferred at ``seq`` in its history.

    It goes on with ``payload``; or, where there is an ``end``, it ends so, without a worker.
    """

    key: AttemptKey
    at: datetime
    seq: int
    payload: msgspec.Raw = NULL
    end: Completed | Failed | Skipped | None = None


Report: TypeAlias = Started | Completed | Failed | Skipped | Deferred | Lost | TakenBack
News: TypeAlias = Report | Fired


def item_name(task_id: str, position: int) -> str:
    """Under what name an order has one result of a mapped task."""
    return f"{task_id}[{position}]"


def log_path(run_key: int, scheduled_seq: int, map_index: int) -> str:
    """Where an attempt's log lies below the log folder: integers only, so no name becomes a path.

    ``scheduled_seq`` is the seq of the ActivityScheduled that opened the attempt.
    """
    name = str(scheduled_seq) if map_index < 0 else f"{scheduled_seq}-{map_index}"
    return f"{run_key}/{name}.log"


def progress_path(run_key: int, task_id: str, map_index: int, generation: int) -> str:
    """Where the progress of an activity lies below the folder of heartbeats, for all attempts of a generation."""
    name = f"{_number(task_id)}-{generation}" if map_index < 0 else f"{_number(task_id)}-{generation}-{map_index}"
    return f"{run_key}/{name}"


@lru_cache(maxsize=1 << 16)
def _number(task_id: str) -> int:
    return int.from_bytes(hashlib.blake2b(task_id.encode(), digest_size=8).digest())
