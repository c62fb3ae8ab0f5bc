"""What a run is told and asked, and how it is taken back, forked and moved."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from orchestrator.api.models.base import Id, JsonObject, Note, Sent, Told

Seq = Annotated[int, Field(ge=1, le=2**62)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1)]
Place = Annotated[str, Field(max_length=260, description="A task, or TASK[INDEX] for an instance of a mapped one.")]


class CancelBody(Sent):
    """Why, for the record."""

    reason: Annotated[str, Field(max_length=1000)] = "cancelled"


class SignalBody(Sent):
    """A signal for a workflow; its code takes it when it waits for it."""

    name: Id
    payload: Any = None


class UpdateBody(Sent):
    """A change that a workflow is asked for. The answer is waited for, ``timeout`` seconds at most."""

    name: Id
    arguments: JsonObject = {}
    timeout: Annotated[float, Field(ge=0, le=60)] = 10.0


class QueryBody(Sent):
    """A question to the code of a workflow, about now or about its state after the fact ``at``."""

    name: Id
    arguments: JsonObject = {}
    at: Seq | None = None


class ResolveBody(Sent):
    """What became of an outcome that is unknown: ``success`` with its result, ``failed``, or ``retry`` where it did not
    happen."""

    task_id: Id
    map_index: Annotated[int, Field(ge=-1, le=2**31 - 1)] = -1
    outcome: Literal["success", "failed", "retry"]
    result: Any = None


class ForkBody(Sent):
    """A new run that begins with what this one had recorded up to the fact ``seq``, or ``before`` a task began.
    ``edits`` are other results, by task. It executes ``version_number``, or what this run had. With
    ``dry_run`` nothing is done."""

    seq: Seq | None = None
    before: Place | None = None
    dag_run_id: Id | None = None
    edits: dict[str, Any] = {}
    same_key: bool = False
    version_number: Version | None = None
    note: Note | None = None
    dry_run: bool = False


class ResetBody(Sent):
    """Back to the fact ``seq``, or to ``before`` a task began. With ``dry_run`` nothing is done."""

    seq: Seq | None = None
    before: Place | None = None
    version_number: Version | None = None
    reason: Annotated[str, Field(max_length=1000)] = ""
    dry_run: bool = False


class MoveBody(Sent):
    """Another version, the latest by default; ``force`` moves it although it does not fit."""

    version_number: Version | None = None
    force: bool = False


class Answered(Told):
    """What a workflow answers."""

    answer: Any


class Verdict(Told):
    """What became of a request: ``carried_out``, or ``pending`` where no scheduler runs just now; then it is kept."""

    dag_id: str
    dag_run_id: str
    request: str
    verdict: Literal["carried_out", "pending"]


class Repeated(Told):
    """Something that happened and would happen again."""

    what: str
    name: str
    map_index: int | None
    delivery: str
    attempts: int
    outcome: str


class TakenBack(Told):
    """A fork or a reset: to which fact, and what happens again. ``verdict`` is null where it was not to be done."""

    dag_id: str
    dag_run_id: str
    seq: int
    verdict: str | None
    effects: list[Repeated]


class ReplayResult(Told):
    """Whether a workflow's code goes with its history: if not, why."""

    is_ok: bool
    seq: int
    block: str | None
    message: str | None
    where: str | None


class Question(Told):
    """What a task asks people. ``params`` is what is to be filled in, by name: the ``value`` that counts where nobody
    says anything, a ``description`` and a JSON ``schema``."""

    dag_id: str
    dag_run_id: str
    task_id: str
    map_index: int
    subject: str
    body: str | None
    options: list[str]
    defaults: list[str] | None
    multiple: bool
    params: dict[str, JsonObject]
    assigned_users: list[str]
    created_at: datetime | None
    until: datetime | None


class QuestionCollection(Told):
    """A page of what people are asked."""

    hitl_details: list[Question]
    total_entries: int


class AnswerBody(Sent):
    """An answer: the chosen options, and what is filled in."""

    chosen_options: Annotated[list[str], Field(max_length=1000)]
    params_input: JsonObject = {}
