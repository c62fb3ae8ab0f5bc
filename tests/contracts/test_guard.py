"""Guard: what each principal is told, and what it may do; for every question that there is."""

import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine

from orchestrator.core.events import RunCreated
from orchestrator.core.requests import CancelRun, SendSignal, TriggerRun
from orchestrator.core.rights import Grant, Principal, Right, Role
from orchestrator.exceptions import ForbiddenError, NotFoundError, OrchestratorError
from orchestrator.names import RunType
from orchestrator.storage.audit_proof import AuditProof
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.connections import ConnectionStore
from orchestrator.storage.duration_reads import Clock
from orchestrator.storage.facts import Facts
from orchestrator.storage.guard import guard_of
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.reads import Reads
from orchestrator.storage.records import Records
from orchestrator.storage.requests import RequestBook
from orchestrator.storage.variables import VariableStore
from orchestrator.storage.xcoms import XComReads
from tests.contracts.conftest import StoppedClock
from tests.contracts.parses import parsed
from tests.contracts.stories import SPEC, Story, begin, commit

OTHER = msgspec.structs.replace(SPEC, dag_id="other", file="other.py")
RUN_ID = "first"
GUARDED = (AuditProof, Reads, XComReads, Records, RequestBook, VariableStore, ConnectionStore)


def somebody(*grants: Grant) -> Principal:
    return Principal(name="ada", grants=grants)


FOREIGNER = somebody(Grant(Role.ADMIN, "other*"))
BY_ROLE = {role: somebody(Grant(role)) for role in Role}


@pytest.fixture
def story(store: SqlHistoryStore, engine: Engine, tmp_path: Path, clock: StoppedClock) -> Story:
    """A run of the DAG `etl`, beside a DAG `other` without any; and a run of `etl` that is only asked for."""
    SqlCatalog(engine, tmp_path / "versions", clock).record([parsed(SPEC), parsed(OTHER)])
    found = begin(store, run_id=RUN_ID)
    commit(store, found)
    ask(engine, clock)
    return found


def ask(engine: Engine, clock: StoppedClock) -> None:
    request = TriggerRun(dag_id="etl", run_id="asked_for", run_uid="uid", run_type=RunType.MANUAL)
    RequestBook(engine, clock).submit(request, "key")


def public(cls: type) -> Iterator[tuple[str, Callable[..., Any]]]:
    return ((name, one) for name, one in inspect.getmembers(cls, inspect.isfunction) if not name.startswith("_"))


@pytest.mark.parametrize("cls", GUARDED)
def test_every_public_question_declares_what_it_takes(cls: type) -> None:
    free = [name for name, one in public(cls) if guard_of(one) is None]
    assert [name for name in free if name not in vars(Facts)] == []  # these ask others


def questions(reads: Reads, engine: Engine, story: Story, who: Principal) -> Iterator[tuple[str, Callable[[], Any]]]:
    """Every question that is about the run or the DAG, by its name."""
    run, version = reads.run("etl", RUN_ID), reads.dag("etl").version_id
    more: dict[str, tuple[Any, ...]] = {
        "facts_of": (run.run_key, (RunCreated,)),
        "last_of": (run.run_key, (RunCreated,)),
        "last_seq_of": (run.run_key, ("RunCreated",)),
        "stored_at": (run.run_key, [1]),
        "has_payload": (run.run_key, "0" * 64),
        "facts_at": (run.run_key, [1]),
        "seq_at": (run.run_key, run.created_at),
        "activity": (run, "extract"),
        "result": (run.run_key, "extract"),
        "pushed": (run.run_key, "extract", "key", None),
        "pushed_by": (run.run_key, "extract", -1),
        "returned": (run.run_key, "extract", None),
        "returned_by": (run.run_key, "extract", range(2)),
        "spec": (version,),
        "source": (version,),
        "request": (reads.run("etl").request_id,),
        "run_key": ("etl", RUN_ID),
        "tasks": (run,),
        "conf": (run,),
        "runs_ahead": (run,),
        "run_before": (run,),
        "has_had_before": (run, "extract"),
        "cells": ("etl", [run.run_key]),
        "runs_of_task": ("etl", "extract"),
        "stored_of_tasks": (run.run_key, ["extract"]),
        "facts_of_tasks": (run.run_key, ["extract"], (RunCreated,)),
        "run_counts_by_time": ("etl", run.created_at, run.created_at, [Clock(run.created_at, 0)]),
        "task_times": ("etl", [run.run_key], 0),
        "times_in_runs": ("etl", [run.run_key], ["extract"]),
        "instances": (run.run_key, "extract"),
        "state_counts": (run.run_key, "extract"),
        "facts_about": (run.run_key, "extract", -1),
    }
    keywords: dict[str, dict[str, Any]] = {
        "run_before": {"but_manual": False},
        "last_seq_of": {"until": 9},
        "shares": {"parts": 4, "last": 9},
        "last_of": {"until": 9},
        "facts_of": {"until": 9},
        "stored_facts": {"until": 9},
        "run_counts_by_time": {"seconds": 60},
        "stored_of_tasks": {"types": ("RunCreated",)},
    }
    for cls in (Reads, XComReads):
        asked = cls(engine, who)
        for name, one in public(cls):
            words = more.get(name)
            if words is None:
                first = next(iter([*inspect.signature(one).parameters][1:]), "")
                words = {"dag_id": ("etl",), "run_key": (run.run_key,)}.get(first)
            if words is not None:
                yield name, _bound(asked, name, words, keywords.get(name, {}))


def _bound(asked: object, name: str, words: tuple[Any, ...], keywords: dict[str, Any]) -> Callable[[], Any]:
    return lambda: _all_of(getattr(asked, name)(*words, **keywords))


def _all_of(answer: object) -> object:
    """Some are read as they are told."""
    return list(answer) if isinstance(answer, Iterator) else answer


def test_a_foreigner_is_told_of_nothing_that_is_about_a_dag_of_others(
    story: Story, reads: Reads, engine: Engine
) -> None:
    asked = dict(questions(reads, engine, story, FOREIGNER))
    assert len(asked) > 25
    for question in asked.values():
        with pytest.raises(NotFoundError, match=r"^there is no "):
            question()


def test_a_viewer_is_told_of_everything_that_is_about_a_dag(story: Story, reads: Reads, engine: Engine) -> None:
    answers = [_answer(question) for _, question in questions(reads, engine, story, BY_ROLE[Role.VIEWER])]
    assert len(answers) > 25
    assert [answer for answer in answers if answer.startswith("there is no DAG")] == []


def _answer(question: Callable[[], Any]) -> str:
    """What is said, also of a result that there is not yet."""
    try:
        return repr(question())
    except NotFoundError as error:
        return str(error)


def test_what_is_forbidden_is_answered_for_in_the_words_of_what_is_absent(
    story: Story, reads: Reads, engine: Engine
) -> None:
    foreign, absent = Reads(engine, FOREIGNER), 987_654

    def said(question: Callable[[Any], Any], argument: object) -> str:
        with pytest.raises(NotFoundError) as caught:
            question(argument)
        return str(caught.value).replace(str(argument), "?")

    for question, there, not_there in (
        (foreign.dag, "etl", "nowhere"),
        (foreign.versions, "etl", "nowhere"),
        (foreign.run_by_key, story.run_key, absent),
        (foreign.history, story.run_key, absent),
        (foreign.spec, reads.dag("etl").version_id, absent),
        (foreign.request, reads.run("etl").request_id, absent),
    ):
        assert said(question, there) == said(question, not_there)


def test_a_name_that_is_near_is_only_suggested_to_whoever_may_see_it(
    story: Story, reads: Reads, engine: Engine
) -> None:
    with pytest.raises(NotFoundError) as caught:
        Reads(engine, somebody(Grant(Role.VIEWER, "et?x"))).dag("etlx")
    assert "did you mean" not in str(caught.value)


def test_lists_hold_what_may_be_seen(story: Story, engine: Engine) -> None:
    foreign, insider = Reads(engine, FOREIGNER), Reads(engine, somebody(Grant(Role.VIEWER, "e*")))
    assert [dag.dag_id for dag in foreign.dags()] == ["other"]
    assert [dag.dag_id for dag in insider.dags()] == ["etl"]
    assert foreign.runs() == []
    assert {run.run_id for run in insider.runs()} == {RUN_ID, "asked_for"}
    assert foreign.run_counts() == {}
    assert [file.file for file in foreign.files()] == ["other.py"]
    assert foreign.dags_with_run(RUN_ID) == []
    assert insider.dags_with_run(RUN_ID) == ["etl"]


def test_a_row_that_was_made_up_opens_nothing(story: Story, reads: Reads, engine: Engine) -> None:
    foreign = Reads(engine, FOREIGNER)
    forged = msgspec.structs.replace(reads.run("etl", RUN_ID), dag_id="other")
    pending = msgspec.structs.replace(reads.run("etl"), dag_id="other")
    with pytest.raises(NotFoundError):
        foreign.tasks(forged)
    with pytest.raises(NotFoundError):
        foreign.conf(pending)


def test_somebody_without_any_right_is_told_nothing(story: Story, engine: Engine) -> None:
    nobody = Reads(engine, somebody())
    for question in (nobody.dags, nobody.runs, nobody.pools, nobody.files, nobody.scheduler, nobody.audit):
        with pytest.raises(ForbiddenError):
            question()


@pytest.mark.parametrize("role", Role)
def test_each_role_may_ask_for_what_its_right_allows(
    story: Story, engine: Engine, clock: StoppedClock, role: Role
) -> None:
    who = BY_ROLE[role]
    book, records = RequestBook(engine, clock, who), Records(engine, clock, who)
    trigger = TriggerRun(dag_id="etl", run_id=f"by_{role}", run_uid=f"uid-{role}")
    signal = SendSignal(dag_id="etl", run_id=RUN_ID, name="go")
    cancel = CancelRun(dag_id="etl", run_id=RUN_ID)
    asked: list[tuple[Right, Callable[[], Any]]] = [
        (Right.TRIGGER, lambda: book.submit(trigger, "one")),
        (Right.TRIGGER, lambda: book.submit(signal, "two")),
        (Right.EDIT, lambda: book.submit(cancel, "three")),
        (Right.EDIT, lambda: records.set_paused("etl", True, by="")),
        (Right.EDIT, lambda: records.set_pool("slow", 2, by="")),
    ]
    assert [_is_allowed(question) for _, question in asked] == [right <= role.right for right, _ in asked]


def test_what_was_refused_stands_in_the_audit(story: Story, engine: Engine, clock: StoppedClock, reads: Reads) -> None:
    viewer = BY_ROLE[Role.VIEWER]
    for question in (
        lambda: Records(engine, clock, viewer).set_paused("etl", True, by=""),
        lambda: Records(engine, clock, viewer).set_pool("slow", 2, by=""),
        lambda: RequestBook(engine, clock, viewer).submit(CancelRun(dag_id="etl", run_id=RUN_ID), "key"),
    ):
        with pytest.raises(ForbiddenError):
            question()
    said = [(line.by, line.action, line.dag_id, line.outcome) for line in reads.audit(limit=3)]
    assert said == [
        ("session:ada", "cancel_run", "etl", "refused"),
        ("session:ada", "set_pool", None, "refused"),
        ("session:ada", "set_paused", "etl", "refused"),
    ]


def _is_allowed(question: Callable[[], Any]) -> bool:
    try:
        question()
    except ForbiddenError:
        return False
    return True


def test_variables_take_a_right_on_what_belongs_to_all_dags(engine: Engine, clock: StoppedClock) -> None:
    class NoKeys:
        """Nothing is opened where nothing may be asked."""

    for cls in (VariableStore, ConnectionStore):
        for name, _ in public(cls):
            with pytest.raises(ForbiddenError):
                getattr(cls(engine, NoKeys(), clock, FOREIGNER), name)()


def test_whoever_asks_is_recorded_by_the_name_of_the_principal(
    story: Story, engine: Engine, clock: StoppedClock, reads: Reads
) -> None:
    operator = BY_ROLE[Role.OPERATOR]
    Records(engine, clock, operator).set_paused("etl", True, by="somebody else")
    RequestBook(engine, clock, operator).submit(
        TriggerRun(dag_id="etl", run_id="r", run_uid="u", by="somebody else"), "key-r"
    )
    assert reads.audit()[0].by == "session:ada"
    assert reads.run("etl", "r").triggered_by == "session:ada"


def test_a_request_about_a_dag_of_others_is_answered_for_as_if_it_were_not_there(
    story: Story, engine: Engine, clock: StoppedClock
) -> None:
    book = RequestBook(engine, clock, FOREIGNER)
    said = []
    for dag_id in ("etl", "nowhere"):
        with pytest.raises(OrchestratorError) as caught:
            book.submit(CancelRun(dag_id=dag_id, run_id="r"), "a key")
        said.append(str(caught.value).replace(dag_id, "?"))
    assert said[0] == said[1]
