"""Forking a run from one of its facts: what the new run takes over, and what would happen again."""

import uuid
from collections.abc import Iterator, Mapping
from itertools import islice

import msgspec

from orchestrator.assembly.fork_names import free_name
from orchestrator.assembly.home import Home
from orchestrator.assembly.prospects import Prospects, place_of, seq_of
from orchestrator.assembly.triggering import checked_run_id
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.core.effects import Effect
from orchestrator.core.events import Recorded
from orchestrator.core.fact_words import subject
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.taking_over import Past
from orchestrator.exceptions import OrchestratorError, UsageError
from orchestrator.storage.views import RunRow
from orchestrator.web.views.run_head import LONG
from orchestrator.web.wording import segment

SHOWN = 12


class Forking(msgspec.Struct, frozen=True, kw_only=True):
    """A form as it is filled in. ``kept`` are the first of ``kept_count`` activities that keep their results,
    ``again`` what has happened and would happen again, ``doubts`` what a person should know besides; ``refusal`` says
    why it cannot be done. ``is_late``: the history is long, and nothing of that is known yet.
    """

    run: RunRow
    path: str
    seq: int
    fact: str
    run_id: str
    note: str
    edits: str
    latest: bool
    has_newer: bool
    same_key: bool
    kept: list[str]
    kept_count: int
    again: list[str]
    again_count: int
    doubts: list[str]
    refusal: str
    request: ForkRun | None
    is_late: bool = False


def fork_form(home: Home, dag_id: str, run_id: str, fields: Mapping[str, list[str]]) -> Forking:
    """The form with what it means; that is left for later where the history is long and nobody has asked for it."""
    run = home.reads.run(dag_id, run_id)
    if run.last_seq <= LONG or "preview" in fields:
        return forking(home, dag_id, run_id, fields)
    seq = seq_of(run, _number(_text(fields, "at") or str(run.last_seq)), run.last_seq)
    fact = home.reads.facts_at(run.run_key, [seq])[seq]
    return msgspec.structs.replace(_empty(home, run, fact, fields), is_late=True)


def forking(home: Home, dag_id: str, run_id: str, fields: Mapping[str, list[str]]) -> Forking:
    """What the fields ask for; ConflictError where nothing of the run is recorded yet."""
    run = home.reads.run(dag_id, run_id)
    prospects = Prospects(home, run)
    seq = prospects.seq(_number(_text(fields, "at") or str(len(prospects.facts))), None)
    form = _empty(home, run, prospects.facts[seq - 1], fields)
    try:
        past = prospects.past(seq)
        request = _request(home, run, prospects, past, fields, _version(home, run, form))
        prospects.rehearse(request, past)
        effects = prospects.effects(
            past, request.version_id, [(edit.task_id, edit.map_index) for edit in request.edits]
        )
        doubts = [*_doubts(prospects, past, request)]
    except OrchestratorError as error:
        return msgspec.structs.replace(form, refusal=str(error))
    return msgspec.structs.replace(
        form,
        kept=[_place(*place) for place in islice(past.ends, SHOWN)],
        kept_count=len(past.ends),
        again=[_said(effect) for effect in effects[:SHOWN]],
        again_count=len(effects),
        doubts=doubts,
        request=request,
    )


def _empty(home: Home, run: RunRow, fact: Recorded, fields: Mapping[str, list[str]]) -> Forking:
    """The form, and nothing of what it means."""
    return Forking(
        run=run,
        path=f"/dags/{segment(run.dag_id)}/runs/{segment(run.run_id)}",
        seq=fact.seq,
        fact=f"{type(fact.event).__name__} {subject(fact.event)}".strip(),
        run_id=_text(fields, "run_id") or free_name(home, run),
        note=_text(fields, "note"),
        edits=_text(fields, "edits"),
        latest=bool(_text(fields, "latest")),
        has_newer=home.reads.dag(run.dag_id).version_id != run.version_id,
        same_key=bool(_text(fields, "same_key")),
        kept=[],
        kept_count=0,
        again=[],
        again_count=0,
        doubts=[],
        refusal="",
        request=None,
    )


def _version(home: Home, run: RunRow, form: Forking) -> int | None:
    return home.reads.dag(run.dag_id).version_id if form.latest else None


def _request(
    home: Home, run: RunRow, prospects: Prospects, past: Past, fields: Mapping[str, list[str]], version_id: int | None
) -> ForkRun:
    name = _text(fields, "run_id")
    return ForkRun(
        dag_id=run.dag_id,
        run_id=checked_run_id(name) if name else free_name(home, run),
        run_uid=uuid.uuid4().hex,
        source=run.run_id,
        seq=past.until.seq,
        edits=tuple(_edits(prospects, past, _text(fields, "edits"))),
        same_key=bool(_text(fields, "same_key")),
        version_id=version_id,
        note=_text(fields, "note") or None,
    )


def _edits(prospects: Prospects, past: Past, text: str) -> Iterator[Edit]:
    given = read_json(text, "other results") if text else {}
    if not isinstance(given, dict):
        raise UsageError('other results are an object by task, such as {"charge_card": {"amount": 41}}')
    for name, value in given.items():
        task_id, map_index = place_of(name)
        yield Edit(task_id=task_id, map_index=prospects.index(past, task_id, map_index), result=raw(value))


def _doubts(prospects: Prospects, past: Past, request: ForkRun) -> Iterator[str]:
    for finding in prospects.doubts(past, request.version_id):
        yield f"{finding.task_id}: {finding.message}" if finding.task_id else finding.message
    for task_id in prospects.outdated(past, request.edits):
        yield f"{task_id} had ended with a result that is edited, and is taken over as it is; fork before it if not."


def _said(effect: Effect) -> str:
    times = f", began {effect.attempts} times" if effect.attempts > 1 else ""
    return f"{_place(effect.name, effect.map_index)} ({effect.outcome or 'begun'}{times})"


def _place(name: str, map_index: int) -> str:
    return name if map_index < 0 else f"{name}[{map_index}]"


def _number(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise UsageError(f"{text[:50]!r} is no fact's number")
    return int(text)


def _text(fields: Mapping[str, list[str]], name: str) -> str:
    return fields.get(name, [""])[-1].strip()
