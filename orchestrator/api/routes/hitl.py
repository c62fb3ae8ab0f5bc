"""``hitlDetails``: what tasks ask people, and the answers."""

from fastapi import APIRouter

from orchestrator.api.asked import Asked
from orchestrator.api.given import raw
from orchestrator.api.models.base import JsonObject
from orchestrator.api.models.mending import AnswerBody, Question, QuestionCollection, Verdict
from orchestrator.api.paging import DagId, MapIndex, Paged, RunId, TaskId, one_or_all
from orchestrator.api.routes.talking import asked
from orchestrator.api.routes.task_instances import PATH
from orchestrator.assembly.answering import check_answer, find_question
from orchestrator.core.forms import Field, Form
from orchestrator.core.requests import AnswerTask
from orchestrator.storage.views import AwaitingRow

router = APIRouter(tags=["Task Instance"])


@router.get("/dags/{dag_id}/dagRuns/{dag_run_id}/hitlDetails")
def get_questions(home: Asked, dag_id: DagId, dag_run_id: RunId, paging: Paged) -> QuestionCollection:
    """What the tasks of a run ask people, or with ``~`` those of all; oldest run first."""
    dag, run_id = one_or_all(dag_id), one_or_all(dag_run_id)
    if dag is not None:
        home.reads.dag(dag)
    run_key = home.reads.run(dag, run_id).run_key if dag is not None and run_id is not None else None
    rows = home.reads.awaiting(dag, run_key=run_key, asking=True, limit=paging.limit, offset=paging.offset)
    found = [_told(row, row.form) for row in rows if row.form is not None]
    total = home.reads.awaiting_count(dag, run_key=run_key, asking=True)
    return QuestionCollection(hitl_details=found, total_entries=total)


@router.get(PATH + "/{task_id}/{map_index}/hitlDetails")
def get_question(home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: MapIndex) -> Question:
    """What a task asks people; 409 where it asks nothing."""
    row = find_question(home, home.reads.run(dag_id, dag_run_id), task_id, map_index)
    assert row.form is not None
    return _told(row, row.form)


@router.patch(PATH + "/{task_id}/{map_index}/hitlDetails")
def answer_question(
    home: Asked, dag_id: DagId, dag_run_id: RunId, task_id: TaskId, map_index: MapIndex, body: AnswerBody
) -> Verdict:
    """Answer what a task asks; the first answer counts."""
    row = find_question(home, home.reads.run(dag_id, dag_run_id), task_id, map_index)
    assert row.form is not None
    check_answer(row.form, body.chosen_options, body.params_input, home.who.name)
    request = AnswerTask(
        dag_id=row.dag_id,
        run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        options=tuple(body.chosen_options),
        params=raw("params_input", body.params_input),
        asked=row.seq,
    )
    return asked(home, request)


def _field(field: Field) -> JsonObject:
    value = None if field.is_needed else field.value
    return {"value": value, "description": field.description, "schema": field.schema, "is_needed": field.is_needed}


def _told(row: AwaitingRow, form: Form) -> Question:
    return Question(
        dag_id=row.dag_id,
        dag_run_id=row.run_id,
        task_id=row.task_id,
        map_index=row.map_index,
        subject=form.subject,
        body=form.body,
        options=list(form.options),
        defaults=None if form.defaults is None else list(form.defaults),
        multiple=form.multiple,
        params={name: _field(field) for name, field in form.params.items()},
        assigned_users=[person.name or person.id for person in form.assigned_users],
        created_at=row.since,
        until=row.until,
    )
