"""Events: the recorded facts of a run, version 1 (docs/reference/events.md).

The class's name is the wire name and is for ever. ``map_index`` and ``count`` name a range of activities of
one task; a single one has ``count`` 1. Raw fields hold JSON that server processes pass on and never interpret.
"""

from datetime import datetime
from typing import TypeAlias

import msgspec

from orchestrator.core.callback_events import CallbackEnded, CallbackLost, CallbackScheduled
from orchestrator.core.event import Asked, Event
from orchestrator.core.particulars import NULL, Failure, Origin, PayloadRef, RunLink, XCom
from orchestrator.names import UNMAPPED, BlockKind, DagKind, FailureKind, ParentClose, RunState, RunType, TaskState

# ── the run ──────────────────────────────────────────────────────────────────────────────────────────────


class RunCreated(Event, frozen=True, kw_only=True, omit_defaults=True):
    """First of every history. ``conf`` is a JSON object as given; ``slot`` the schedule's fire time, if any.

    ``parent``: the run that started this one as its child, ``child_id`` by what name, ``close`` what its end means
    here. ``forked``: the run whose facts up to a seq were taken over; they are the ``taken`` facts after this one, with
    the moments of their own recording, and do not begin the run. ``origin`` is for its code. ``imported``: from
    another home. ``instead_of``: of a fork, the version that its DAG had then, where it has another.
    """

    dag_id: str
    run_id: str
    run_uid: str
    run_type: RunType
    version_id: int
    fingerprint: str
    kind: DagKind = DagKind.DAG
    logical_date: datetime | None = None
    data_interval_start: datetime | None = None
    data_interval_end: datetime | None = None
    slot: datetime | None = None
    conf: msgspec.Raw = msgspec.Raw(b"{}")
    triggered_by: str = "cli"
    note: str | None = None
    parent: RunLink | None = None
    child_id: str | None = None
    close: ParentClose = ParentClose.CANCEL
    forked: RunLink | None = None
    imported: bool = False
    taken: int = 0
    origin: Origin | None = None
    instead_of: int | None = None


class RunMoved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """From here on the run executes another version of its DAG.

    ``instead_of``: the version that its DAG had then, where a person chose another: the run does not follow to that.
    """

    version_id: int
    fingerprint: str
    instead_of: int | None = None


class RunStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A workflow begins: it has had its turn at max_active_runs, and its code is told of the run.

    A run of a static DAG begins with the first fact about one of its activities.
    """


class RunPaused(Event, frozen=True, kw_only=True, omit_defaults=True):
    by: str = ""


class RunResumed(Event, frozen=True, kw_only=True, omit_defaults=True):
    by: str = ""


class RunCancelRequested(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Open attempts are to be ended and nothing new starts; the run ends failed."""

    by: str = ""
    reason: str = "cancelled"


class RunEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """``state`` is success or failed; ``reason`` is one sentence for `runs why`.

    A workflow's: what it returned (``result`` or ``payload``), or what it raised (``failure``).
    """

    state: RunState
    reason: str = ""
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    failure: Failure | None = None


class RunBlocked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The workflow's code cannot go on from here: nothing is lost, and RunMoved or RunResumed tries again.

    ``message`` says what stands against what; ``where`` is the author's file:line; ``frames`` the author's own
    traceback lines.
    """

    kind: BlockKind
    message: str
    where: str | None = None
    frames: tuple[str, ...] = ()


class RunContinued(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """The workflow begins anew with this input; replay begins here. Signals that nobody has taken stay.

    ``input`` is ``{"args": […], "kwargs": {…}, "carried": {…}}``; what is carried is for its code: signals that nobody
    has taken, and how often it has begun anew.
    """

    input: msgspec.Raw = NULL
    payload: PayloadRef | None = None


class RunReset(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What was recorded after ``seq`` counts no more, but for the signals; reopens an ended run.

    Numbers of attempts, occurrences and generations go on from where they were.
    """

    seq: int
    by: str = ""
    reason: str = ""


# ── activities ───────────────────────────────────────────────────────────────────────────────────────────


class TaskExpanded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A mapped task has this shape; its activities are numbered row-major from 0.

    ``extents`` are there where it is mapped inside of a mapped group: for the outermost mapping and each one inside of
    it, how many instances each instance around it has: one number where they all have as many. Where that differs,
    ``shape`` is the number of all. Said again, it replaces what was said before.
    """

    task_id: str
    shape: tuple[int, ...]
    extents: tuple[tuple[int, ...], ...] = ()


class ActivityRequested(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """A workflow asked for this call; ``map_index`` is its occurrence, counted from 0 for each activity.

    ``input`` is ``{"args": […], "kwargs": {…}}`` as JSON, or ``payload`` refers to it; ``digest`` is the SHA-256
    (hex) of that JSON. ``shielded``: a cancellation of the run leaves it alone.
    """

    task_id: str
    map_index: int
    digest: str
    input: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    shielded: bool = False


class ActivityCancelRequested(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """The workflow wants this call no more: its attempt is ended, and it is not tried again."""

    task_id: str
    map_index: int


class ActivityScheduled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Handed to an executor as ``attempt``. Scheduled without started was never run.

    ``input_digest`` is of version 0.1.0 and not written any more: ActivityRequested has it.
    """

    task_id: str
    map_index: int = UNMAPPED
    count: int = 1
    attempt: int = 1
    input_digest: str | None = None


class ActivityStarted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A worker has begun the body; ``worker`` is host:pid."""

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    worker: str = ""


class ActivityCompleted(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The body returned. ``result`` is its JSON, or ``payload`` refers to it; never both.

    ``length`` is the number of items of a list or dict, ``lengths`` those of the parts that others are mapped over;
    ``skip`` are the tasks that the body chose to skip; ``xcoms`` what it pushed, by key; ``rendered_map_index`` is what
    it called its instance of a mapped task, here and in the other facts that tell of a body.
    Applied once: a later report of an attempt that is no longer open stays here as evidence.
    """

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None
    lengths: dict[str, int] = {}
    skip: tuple[str, ...] = ()
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class ActivityFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The attempt failed; it is tried again at ``retry_at``, or never where that is None."""

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    kind: FailureKind = FailureKind.ERROR
    failure: Failure
    retry_at: datetime | None = None
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class ActivityLost(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Nobody will report on this attempt.

    ``free``: the engine or host went, or it never started; it costs nothing. ``unknown``: an at_most_once
    body may have run; the task waits for a person's answer.
    """

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    reason: str
    free: bool = False
    unknown: bool = False


class ActivityDeferred(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The attempt gave up its worker and waits for ``trigger``, or until ``until`` when rescheduled.

    With both, ``until`` is when the engine's own timer resumes it: the moment that it was deferred to, or where the
    trigger is one that a triggerer runs, the end of its patience. A trigger that holds a form (``forms``) is a question
    to a person, whose time runs out ``until`` then.
    """

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    trigger: msgspec.Raw = NULL
    until: datetime | None = None
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class ActivityResumed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """What a deferred attempt waited for has happened; the same attempt goes on.

    ``payload`` is null where the moment ``until`` has come, else a person's answer, or a ``Came`` (``waits``).
    """

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    payload: msgspec.Raw = NULL


class ActivitySkipped(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Will not run: its rule, a branch, or (``attempt`` > 0) its own body said so."""

    task_id: str
    map_index: int = UNMAPPED
    count: int = 1
    attempt: int = 0
    reason: str = ""
    xcoms: dict[str, XCom] = {}
    rendered_map_index: str | None = None


class ActivityUpstreamFailed(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Will not run because an upstream failed."""

    task_id: str
    map_index: int = UNMAPPED
    count: int = 1


class ActivityCleared(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Back to none, as a new generation (a new idempotency key) unless ``same_key``; reopens an ended run."""

    task_id: str
    map_index: int = UNMAPPED
    count: int = 1
    same_key: bool = False
    by: str = ""


class ActivityMarked(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person set the state: success, failed or skipped."""

    task_id: str
    map_index: int = UNMAPPED
    count: int = 1
    state: TaskState
    by: str = ""


class OutcomeResolved(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A person, or a late report, said what became of an attempt of unknown outcome.

    ``state`` is success (with ``result``), failed, or none: try again with the same idempotency key.
    """

    task_id: str
    map_index: int = UNMAPPED
    attempt: int = 1
    state: TaskState
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    length: int | None = None
    by: str = ""
    xcoms: dict[str, XCom] = {}


# ── workflows ────────────────────────────────────────────────────────────────────────────────────────────


class TimerSet(Asked, frozen=True, kw_only=True, omit_defaults=True):
    timer_id: str
    fire_at: datetime
    shielded: bool = False


class TimerCancelled(Asked, frozen=True, kw_only=True, omit_defaults=True):
    timer_id: str


class TimerFired(Event, frozen=True, kw_only=True, omit_defaults=True):
    timer_id: str


class SignalReceived(Event, frozen=True, kw_only=True, omit_defaults=True):
    name: str
    payload: msgspec.Raw = NULL
    by: str = ""


class UpdateReceived(Event, frozen=True, kw_only=True, omit_defaults=True):
    """A request to the workflow that has an answer; ``payload`` is a JSON object, its arguments by name."""

    update_id: str
    name: str
    payload: msgspec.Raw = NULL
    by: str = ""


class UpdateAnswered(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """``failure``: it was refused, or its handler raised."""

    update_id: str
    result: msgspec.Raw = NULL
    failure: Failure | None = None


class ValueRecorded(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """What `side_effect` gave; ``name`` and its occurrence tell which. ``sent``: what came of a signal to another
    run, for which the code waits.
    """

    name: str
    value: msgspec.Raw = NULL
    sent: bool = False


class ChildStarted(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """``child_run_key`` is 0 where the child could not be started; ChildEnded says why.

    ``close``: what the end of this run means to it. ``shielded``: a cancellation of this run leaves it alone.
    """

    child_id: str
    dag_id: str
    run_id: str
    child_run_key: int
    close: ParentClose = ParentClose.CANCEL
    shielded: bool = False


class ChildEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    child_id: str
    state: RunState
    result: msgspec.Raw = NULL
    payload: PayloadRef | None = None
    reason: str = ""


class VersionMarker(Asked, frozen=True, kw_only=True, omit_defaults=True):
    """A `patched` question was answered for this run."""

    name: str
    version: int


AnyEvent: TypeAlias = (
    RunCreated
    | RunMoved
    | RunStarted
    | RunPaused
    | RunResumed
    | RunCancelRequested
    | RunEnded
    | RunBlocked
    | RunContinued
    | RunReset
    | TaskExpanded
    | ActivityRequested
    | ActivityCancelRequested
    | ActivityScheduled
    | ActivityStarted
    | ActivityCompleted
    | ActivityFailed
    | ActivityLost
    | ActivityDeferred
    | ActivityResumed
    | ActivitySkipped
    | ActivityUpstreamFailed
    | ActivityCleared
    | ActivityMarked
    | OutcomeResolved
    | TimerSet
    | TimerCancelled
    | TimerFired
    | SignalReceived
    | UpdateReceived
    | UpdateAnswered
    | ValueRecorded
    | ChildStarted
    | ChildEnded
    | VersionMarker
    | CallbackScheduled
    | CallbackLost
    | CallbackEnded
)

EVENT_TYPES: tuple[type[AnyEvent], ...] = AnyEvent.__args__


class Recorded(msgspec.Struct, frozen=True):
    """An event in its place: ``seq`` counts from 1 within the run, ``at`` is aware UTC."""

    seq: int
    at: datetime
    event: AnyEvent
