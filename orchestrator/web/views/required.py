"""Required actions: what waits for people, and what they have said."""

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.forms import Form, stranger
from orchestrator.core.reasons import named
from orchestrator.core.rights import Principal, Right
from orchestrator.storage.views import AnswerRow, AwaitingRow
from orchestrator.web.prose import Prose, prose
from orchestrator.web.wording import path_of_activity

PER_PAGE = 50
_QUICK = 4


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person. ``path`` is where it is answered, ``refusal`` why whoever looks may not,
    ``people`` of whom it is asked. It ``is_quick`` where a press of a button answers it.
    """

    row: AwaitingRow
    name: str
    path: str
    query: str
    subject: str
    body: Prose | None
    people: list[str]
    refusal: str
    is_quick: bool


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has said: ``words`` in short, ``given`` what they filled in, by name."""

    row: AnswerRow
    name: str
    path: str
    query: str
    words: str
    given: dict[str, str]


class Required(msgspec.Struct, frozen=True, kw_only=True):
    """A page of those that wait, of which there are ``total``; or of what was said, ``before`` which goes the next."""

    dag_id: str
    run_id: str
    is_past: bool
    asked: list[Asked]
    said: list[Said]
    total: int
    page: int
    before: int | None

    @property
    def has_more(self) -> bool:
        return self.page * PER_PAGE < self.total


def required(home: Home, *, dag_id: str = "", run_id: str = "", page: int = 1) -> Required:
    """What waits, of all DAGs, of one, or of one of its runs; NotFoundError where there is no such."""
    run_key = home.reads.run(dag_id, run_id).run_key if dag_id and run_id else None
    if dag_id:
        home.reads.dag(dag_id)
    is_none = home.who.dags(Right.VIEW).nothing or run_key == 0
    skipped = (page - 1) * PER_PAGE
    rows = [] if is_none else home.reads.awaiting(dag_id or None, run_key=run_key, limit=PER_PAGE, offset=skipped)
    total = 0 if is_none else home.reads.awaiting_count(dag_id or None, run_key=run_key)
    return Required(
        dag_id=dag_id,
        run_id=run_id,
        is_past=False,
        asked=[asked(home.who, row) for row in rows],
        said=[],
        total=total,
        page=page,
        before=None,
    )


def answered(home: Home, *, dag_id: str = "", run_id: str = "", before: int | None = None) -> Required:
    """What was said, the newest first."""
    if dag_id:
        home.reads.dag(dag_id)
    is_none = home.who.dags(Right.VIEW).nothing
    rows = (
        []
        if is_none
        else home.reads.answers(dag_id or None, run_id=run_id or None, before_id=before, limit=PER_PAGE + 1)
    )
    return Required(
        dag_id=dag_id,
        run_id=run_id,
        is_past=True,
        asked=[],
        said=[_said(row) for row in rows[:PER_PAGE]],
        total=0 if is_none else home.reads.awaiting_count(dag_id or None),
        page=1,
        before=rows[PER_PAGE - 1].id if len(rows) > PER_PAGE else None,
    )


def asked(who: Principal, row: AwaitingRow) -> Asked:
    """What one of them asks, as somebody sees it."""
    form, (path, query) = row.form, path_of_activity(row.dag_id, row.run_id, row.task_id, row.map_index)
    return Asked(
        row=row,
        name=named(row.task_id, row.map_index),
        path=f"{path}/answer",
        query=query,
        subject=form.subject if form else f"What became of {named(row.task_id, row.map_index)}?",
        body=prose(form.body) if form and form.body else None,
        people=[person.name or person.id for person in form.assigned_users] if form else [],
        refusal=refusal(who, row),
        is_quick=form is not None and _is_quick(form),
    )


def refusal(who: Principal, row: AwaitingRow) -> str:
    """Why somebody may not answer it; nothing where they may."""
    right = Right.TRIGGER if row.form else Right.EDIT
    if not who.may(right, row.dag_id):
        return "You may see this, but not answer it."
    return (stranger(row.form, who.name) or "") if row.form else ""


def _is_quick(form: Form) -> bool:
    return not form.multiple and not form.params and len(form.options) <= _QUICK


_RESOLVED = {"success": "it took place", "failed": "it is to count as failed", "none": "it is to be tried again"}


def _said(row: AnswerRow) -> Said:
    path, query = path_of_activity(row.dag_id, row.run_id, row.task_id, row.map_index)
    given = msgspec.json.decode(row.params)
    return Said(
        row=row,
        name=named(row.task_id, row.map_index),
        path=path,
        query=query,
        words=", ".join(row.options) if row.state is None else _RESOLVED.get(row.state.value, row.state.value),
        given={name: _short(value) for name, value in given.items()} if isinstance(given, dict) else {},
    )


def _short(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 200 else f"{text[:200]}…"
