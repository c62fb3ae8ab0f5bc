"""The audit log, files that cannot be read, histories, and why."""

from datetime import datetime
from typing import Any

from orchestrator.api.models.base import Told
from orchestrator.core.reasons import Reason
from orchestrator.storage.views import AuditRow, ImportErrorRow


class EventLog(Told):
    """Somebody did something, or was refused: ``extra`` is what was asked for, as JSON."""

    event_log_id: int
    when: datetime
    owner: str
    via: str
    event: str
    dag_id: str | None
    run_id: str | None
    extra: str
    outcome: str
    refusal: str | None


class EventLogCollection(Told):
    """A page of the audit log, newest first. ``next_before`` asks for the page after it; null on the last."""

    event_logs: list[EventLog]
    next_before: int | None


class ImportError_(Told):  # noqa: N801 - what it is called is taken
    """Why a DAG file cannot be read, or what it was warned of."""

    import_error_id: str
    timestamp: datetime
    filename: str
    line: int | None
    stack_trace: str


class ImportErrorCollection(Told):
    """A page of files that cannot be read."""

    import_errors: list[ImportError_]
    total_entries: int


class DagWarning(Told):
    """What a DAG file was warned of as it was read."""

    filename: str
    line: int | None
    warning_type: str
    message: str
    timestamp: datetime


class DagWarningCollection(Told):
    """What DAG files were warned of."""

    dag_warnings: list[DagWarning]
    total_entries: int


class Event(Told):
    """A recorded fact: its place, its type, and its own fields, by type; see the reference of events."""

    seq: int
    type: str
    at: datetime
    task_id: str | None
    map_index: int | None
    attempt: int | None
    body: dict[str, Any]


class History(Told):
    """A page of a run's history. ``next_after`` asks for what follows; null at the end of what there is."""

    events: list[Event]
    next_after: int | None
    last_seq: int


class Why(Told):
    """A reason as a sentence, and the fact that says so."""

    cause: str
    sentence: str
    task_id: str | None
    map_index: int | None
    since: datetime | None
    seq: int | None
    where: str | None
    chain: list[str]


class WhyCollection(Told):
    """Why a run or a task does not run, or why it ended so."""

    reasons: list[Why]
    total_entries: int


class Due(Told):
    """A run that a schedule will make."""

    run_after: datetime
    logical_date: datetime
    data_interval_start: datetime | None
    data_interval_end: datetime | None


class Preview(Told):
    """The runs that a DAG's schedule will make next; none of them while it is paused."""

    schedule: str | None
    is_paused: bool
    runs: list[Due]
    total_entries: int


def event_log_of(row: AuditRow) -> EventLog:
    return EventLog(
        event_log_id=row.id,
        when=row.at,
        owner=row.who,
        via=row.via,
        event=row.action,
        dag_id=row.dag_id,
        run_id=row.run_id,
        extra=bytes(row.body).decode(),
        outcome=row.outcome,
        refusal=row.refusal,
    )


def import_error_of(row: ImportErrorRow) -> ImportError_:
    failure = row.failure
    return ImportError_(
        import_error_id=row.file,
        timestamp=row.at,
        filename=row.file,
        line=failure.line,
        stack_trace="\n".join([failure.message, *failure.frames]),
    )


def why_of(reason: Reason) -> Why:
    return Why(
        cause=reason.cause,
        sentence=reason.sentence,
        task_id=reason.task_id,
        map_index=None if reason.task_id is None else reason.map_index,
        since=reason.since,
        seq=reason.seq or None,
        where=reason.where,
        chain=list(reason.chain),
    )
