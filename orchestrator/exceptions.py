"""The one error tree.

OrchestratorError
├── UsageError                 what was asked for makes no sense (CLI exit status 2)
│   └── ParamValidationError   a param has no value, or one that does not fit
├── ConfigError                a setting that is unknown or has an impossible value
├── DagError                   a DAG file is wrong; carries file and line
│   ├── DuplicateTaskError
│   ├── UnknownUpstreamError
│   ├── CycleError             carries the cycle
│   ├── ScheduleError
│   ├── TemplateError          carries task, field and the template's line
│   ├── QuarantineError        blue code would have a side effect, which was kept from happening
│   └── DagImportError         the file could not be imported
├── NotFoundError              no such DAG, run, task, pool …
│   └── ContextKeyError        a word that the context of a task does not have
├── ForbiddenError             whoever asks has no right to it
├── ConflictError              it exists already, or is in the wrong state
├── SignInError                this name and password, or this token, let nobody in
│   └── TooManyAttemptsError   not to be tried again before a moment, which it carries
├── ValueEncodingError         a result that cannot be recorded; carries the value's path
├── ValueDecodingError         recorded bytes that are no value
├── StorageError
│   ├── StorageUnavailableError    locked, full, read-only, not reachable
│   │   └── StorageFullError       a disk without room
│   ├── StorageCorruptError
│   ├── SchemaVersionError         the database is newer, or not migrated
│   └── HistoryConflictError       another owner wrote that seq
├── TranscriptError            a file that is no exported run, of a newer format, or damaged
├── SchedulerRunningError      a second scheduler on one database
├── RemoteError                the server of a home that lies elsewhere cannot be asked this
│   └── UnreachableError           it is not there just now
├── WorkerStartError           no worker process can be started
├── WorkflowError              raised in a workflow's code, to be caught there
│   ├── ActivityError          an activity failed for good; carries attempt, retryable and its cause
│   ├── ChildError             a child run failed
│   └── DeliveryError          a signal found no open run
└── BodyError                  raised inside a task's body to steer its outcome
    ├── AirflowException       fail this attempt; a retry may follow
    │   ├── AirflowSkipException   end as skipped
    │   ├── AirflowFailException   fail without another retry
    │   │   └── AirflowExternalTaskSensorException  what a sensor waits for is not there, or has failed
    │   ├── AirflowSensorTimeout   a sensor has waited for too long
    │   ├── AirflowRescheduleException  begin again at a moment
    │   ├── HITLTriggerEventError  a person's answer could not be had
    │   │   └── HITLTimeoutError       it did not come in time
    │   ├── HITLRejectException    a person said no
    │   ├── HttpErrorException     a server's answer is an error, or it does not answer; carries its status
    │   ├── SqlError               a statement failed; carries which one, and where in it
    │   └── TaskDeferralError      what it was deferred to has failed
    │       └── TaskDeferralTimeout    or did not come in time
    ├── CommandError           a command ended badly; carries its exit code
    ├── EnvironmentBuildError  an environment of Python cannot be built; carries what its builder said last
    └── OtherPythonError       a body that ran in another Python raised; carries its types and frames

Beside the tree stand three BaseExceptions that ``except Exception`` lets pass: WorkflowCancelled, the end of a
workflow, and TaskDeferred and TaskAwaitingInput, by which a body gives its worker up.

Each message is one clear sentence that says what, where and what to do.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any


class OrchestratorError(Exception):
    """Root of every error that this program raises on purpose."""


class UsageError(OrchestratorError, ValueError):
    """What was asked for makes no sense."""


class ParamValidationError(UsageError):
    """A param has no value, or one that is not what its schema asks for."""


class ConfigError(OrchestratorError, ValueError):
    """A setting is unknown or its value impossible."""


class DagError(OrchestratorError):
    """A DAG file is wrong; ``str()`` starts with ``file:line:`` where they are known."""

    def __init__(self, message: str, *, file: str | None = None, line: int | None = None) -> None:
        self.message = message
        self.file = file
        self.line = line
        super().__init__(message)

    def __str__(self) -> str:
        if self.file is None:
            return self.message
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        return f"{place}: {self.message}"


class DuplicateTaskError(DagError):
    """Two tasks of one DAG have the same task_id."""


class UnknownUpstreamError(DagError):
    """A task names an upstream that its DAG does not have."""

    def __init__(self, task_id: str, upstream: str, *, file: str | None = None, line: int | None = None) -> None:
        self.task_id = task_id
        self.upstream = upstream
        super().__init__(
            f"task {task_id!r} has an unknown upstream {upstream!r}; add that task to the DAG or remove the edge",
            file=file,
            line=line,
        )


class CycleError(DagError):
    """The tasks wait for each other in a circle; ``cycle`` holds their ids in order."""

    def __init__(self, cycle: Sequence[str], *, file: str | None = None, line: int | None = None) -> None:
        self.cycle = tuple(cycle)
        path = " >> ".join((*self.cycle, self.cycle[0]))
        super().__init__(f"the tasks form a cycle: {path}; remove one of these edges", file=file, line=line)


class ScheduleError(DagError):
    """A schedule that is no preset, cron expression or timedelta."""


class TemplateError(DagError):
    """A template of a task cannot be rendered; ``template`` is its file, None where the field holds its text."""

    def __init__(
        self,
        task_id: str,
        field: str,
        reason: str,
        *,
        template: str | None = None,
        template_line: int | None = None,
        file: str | None = None,
        line: int | None = None,
    ) -> None:
        self.task_id = task_id
        self.field = field
        self.template = template
        self.template_line = template_line
        where = "" if template_line is None else f", line {template_line} of {template or 'the template'}"
        super().__init__(f"task {task_id!r}, field {field!r}{where}: {reason}", file=file, line=line)


class QuarantineError(DagError):
    """Blue code would have a side effect, which was kept from happening; ``file`` and ``line`` are the author's."""


class DagImportError(DagError):
    """A DAG file could not be imported; ``frames`` are the author's own traceback lines."""

    def __init__(
        self, message: str, *, file: str | None = None, line: int | None = None, frames: Sequence[str] = ()
    ) -> None:
        self.frames = tuple(frames)
        super().__init__(message, file=file, line=line)


class NotFoundError(OrchestratorError, LookupError):
    """There is no such DAG, run, task or setting."""


class ContextKeyError(NotFoundError, KeyError):
    """The context of a task has no such word."""

    def __str__(self) -> str:
        return Exception.__str__(self)


class ForbiddenError(OrchestratorError):
    """Whoever asks may know of it, but has no right to that."""


class RemoteError(OrchestratorError):
    """The server of a home that lies elsewhere is not there, or cannot be asked this."""


class UnreachableError(RemoteError):
    """The server is not there just now: it is started again, or the way to it is cut."""


class ConflictError(OrchestratorError):
    """It exists already, or is in a state that does not allow what was asked."""


class SignInError(OrchestratorError):
    """Somebody is not who they say they are, or may not come in; it does not say which."""


class TooManyAttemptsError(SignInError):
    """Sign-in failed too often; ``until`` is when it may be tried again."""

    def __init__(self, until: datetime) -> None:
        self.until = until
        super().__init__(f"sign-in has failed too often; try again at {until:%Y-%m-%d %H:%M:%S} UTC")


class ValueEncodingError(OrchestratorError, TypeError):
    """A value cannot be recorded; ``path`` leads to the part at fault, such as ``result['rows'][3]``.

    ``advice`` says why and what to do, where more is known than the type.
    """

    def __init__(self, path: str, type_name: str, advice: str = "") -> None:
        self.path = path
        self.type_name = type_name
        article = "an" if type_name[:1].lower() in "aeiou" else "a"
        general = (
            "; return JSON values, datetime, date, timedelta, Decimal, UUID, bytes, an Enum, a dataclass or a pydantic "
            "model, or write it to a file and return its path"
        )
        super().__init__(
            f"{path} is {article} {type_name}, which cannot be recorded{f': {advice}' if advice else general}"
        )


class ValueDecodingError(OrchestratorError, ValueError):
    """Recorded bytes are no value, or one that only a newer version of this program can read."""


class StorageError(OrchestratorError):
    """The database could not do what was asked."""


class StorageUnavailableError(StorageError):
    """The database is locked, full, read-only or cannot be reached; trying again may help."""


class StorageFullError(StorageUnavailableError):
    """There is no room for what is to be written; once there is, trying again helps."""


class StorageCorruptError(StorageError):
    """The database file is damaged."""


class SchemaVersionError(StorageError):
    """The database's schema is not the one that this program reads."""


class HistoryConflictError(StorageError):
    """Somebody else has written that place of a run's history."""


class TranscriptError(OrchestratorError, ValueError):
    """A file is no exported run, or of a newer format, or damaged."""


class SchedulerRunningError(OrchestratorError):
    """Another scheduler works on this database."""


class WorkerStartError(OrchestratorError):
    """No worker process can be started on this machine."""


class WorkflowError(OrchestratorError):
    """Something that a workflow waited for went wrong."""


class ActivityError(WorkflowError):
    """An activity that a workflow called has failed for good.

    ``cause`` is the message of what its body raised, ``types`` the dotted names of that exception's class and its
    bases, ``where`` the author's file:line; ``kind`` says how the attempt ended; ``retryable`` whether another
    attempt was allowed by its kind, had there been any left.
    """

    def __init__(
        self,
        message: str,
        *,
        activity_id: str,
        attempt: int,
        retryable: bool,
        kind: str = "error",
        cause: str = "",
        types: Sequence[str] = (),
        where: str | None = None,
    ) -> None:
        super().__init__(message)
        self.activity_id = activity_id
        self.attempt = attempt
        self.retryable = retryable
        self.kind = kind
        self.cause = cause
        self.types = tuple(types)
        self.where = where

    def was(self, exception: type[BaseException] | str) -> bool:
        """Whether the body raised this class, or one that derives from it; a class, its dotted path or bare name."""
        if isinstance(exception, type):
            return f"{exception.__module__}.{exception.__qualname__}" in self.types
        return any(name == exception or name.rpartition(".")[2] == exception for name in self.types)


class ChildError(WorkflowError):
    """A child run has failed, or could not be started."""

    def __init__(self, message: str, *, dag_id: str, run_id: str, reason: str) -> None:
        super().__init__(message)
        self.dag_id = dag_id
        self.run_id = run_id
        self.reason = reason


class DeliveryError(WorkflowError):
    """A signal could not be delivered: there is no such run, or it has ended."""


class WorkflowCancelled(BaseException):
    """The run is being cancelled; clean up and let it pass."""


class BodyError(OrchestratorError):
    """Raised inside a task's body to steer its outcome."""


class AirflowException(BodyError):  # noqa: N818 - the field's own name
    """Fail this attempt; the root of what Airflow's names raise in a body."""


class AirflowSkipException(AirflowException):
    """End the task as skipped."""


class AirflowFailException(AirflowException):
    """Fail the task now, without another retry."""


class AirflowExternalTaskSensorException(AirflowFailException):
    """What a sensor waits for in another DAG will not come."""


class ExternalDagNotFoundError(AirflowExternalTaskSensorException):
    """There is no such DAG."""


class ExternalTaskNotFoundError(AirflowExternalTaskSensorException):
    """That DAG has no such task."""


class ExternalTaskGroupNotFoundError(AirflowExternalTaskSensorException):
    """That DAG has no such group."""


class ExternalDagFailedError(AirflowExternalTaskSensorException):
    """Its run has failed."""


class ExternalTaskFailedError(AirflowExternalTaskSensorException):
    """Its task has failed."""


class ExternalTaskGroupFailedError(AirflowExternalTaskSensorException):
    """A task of its group has failed."""


class AirflowSensorTimeout(AirflowException):
    """A sensor has waited for too long; it is not tried again."""


class AirflowRescheduleException(AirflowException):
    """End this attempt without a result and begin it again at ``reschedule_date``, which uses up no retry."""

    def __init__(self, reschedule_date: datetime) -> None:
        self.reschedule_date = reschedule_date
        super().__init__(f"it is begun again at {reschedule_date}")


class HITLTriggerEventError(AirflowException):
    """The answer of a person could not be had."""


class HITLTimeoutError(HITLTriggerEventError):
    """The answer of a person did not come in time, and nothing was to count in its place."""


class HITLRejectException(AirflowException):
    """A person has said no, where that is a failure."""


class HttpErrorException(AirflowException):
    """A server answered with an error, whose ``status_code`` the message begins with; None if it did not answer."""

    def __init__(self, message: str, *, status_code: int | None = None) -> None:
        self.status_code = status_code
        super().__init__(message)


class SqlError(AirflowException):
    """A database refused a statement: the one of that ``number``, counted from 1; ``position`` is its line and column
    where the database tells them.
    """

    def __init__(self, message: str, *, number: int, position: tuple[int, int] | None = None) -> None:
        self.number = number
        self.position = position
        super().__init__(message)


class TaskDeferralError(AirflowException):
    """What a task was deferred to has failed."""


class TaskDeferralTimeout(TaskDeferralError):  # noqa: N818 - the field's own name
    """What a task was deferred to did not come in time."""


class TaskDeferred(BaseException):
    """Raised by ``self.defer(…)``: no worker is held until ``trigger`` fires, then ``method_name`` is called."""

    def __init__(
        self,
        *,
        trigger: Any,
        method_name: str,
        kwargs: Mapping[str, Any] | None = None,
        timeout: timedelta | float | None = None,
    ) -> None:
        super().__init__(f"it is deferred to {trigger!r}")
        self.trigger = trigger
        self.method_name = method_name
        self.kwargs = dict(kwargs or {})
        self.timeout = timeout


class TaskAwaitingInput(BaseException):
    """Raised by a body that asks a person ``form`` (core.forms): no worker is held until there is an answer, then
    ``method_name`` is called with it as ``event``; or with what counts in its place, after ``timeout``.
    """

    def __init__(
        self, *, form: Any, method_name: str, kwargs: Mapping[str, Any] | None = None, timeout: timedelta | None = None
    ) -> None:
        super().__init__(f"it asks {form!r}")
        self.form = form
        self.method_name = method_name
        self.kwargs = dict(kwargs or {})
        self.timeout = timeout


class CommandError(BodyError):
    """A command ended with an exit code that means failure; below 0 it is the signal that ended it."""

    def __init__(self, message: str, exit_code: int) -> None:
        self.exit_code = exit_code
        super().__init__(message)


class EnvironmentBuildError(BodyError):
    """An environment of Python cannot be built; ``lines`` are the last that its builder printed."""

    def __init__(self, message: str, lines: Sequence[str] = ()) -> None:
        self.lines = tuple(lines)
        super().__init__(message)


class OtherPythonError(BodyError):
    """A body that ran in another Python raised.

    ``types`` are the dotted names of the exception's class and its bases there, ``frames`` (file, line, function), the
    outermost first.
    """

    def __init__(self, message: str, *, types: Sequence[str], frames: Sequence[tuple[str, int, str]]) -> None:
        self.types = tuple(types)
        self.frames = tuple(frames)
        super().__init__(message)
