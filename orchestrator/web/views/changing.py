"""Changing: the forms that clear tasks of a run, or mark them, with what that is about; and what they ask for."""

from collections.abc import Mapping, Sequence

import msgspec

from orchestrator.assembly.clearing import Place, clearing_of, markings_of, runs_around
from orchestrator.assembly.home import Home
from orchestrator.assembly.touching import Touched, stamp_of, touched
from orchestrator.core.requests import AnyRequest, ClearTasks
from orchestrator.core.rights import Right
from orchestrator.exceptions import ConflictError, ForbiddenError, UsageError
from orchestrator.names import UNMAPPED, Delivery, TaskState
from orchestrator.storage.views import RunRow
from orchestrator.web.wording import segment

Sent = Mapping[str, Sequence[str]]
MARKS = (TaskState.SUCCESS, TaskState.FAILED, TaskState.SKIPPED)
_MOST_TASKS = 1_000
_SHOWN = 200


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody has chosen: ``tasks`` of the run, all where there are none, and one instance of a mapped one."""

    tasks: tuple[str, ...] = ()
    map_index: int = UNMAPPED
    upstream: bool = False
    downstream: bool = False
    past: bool = False
    future: bool = False
    only_failed: bool = False
    latest: bool = False
    same_key: bool = False
    state: TaskState = TaskState.SUCCESS

    @property
    def places(self) -> list[Place]:
        return [(task_id, None if self.map_index == UNMAPPED else self.map_index) for task_id in self.tasks]


class Changing(msgspec.Struct, frozen=True, kw_only=True):
    """``lines`` are the first of what it is about, which are ``total`` activities of ``run_count`` runs; ``repeated``
    of them have run, ``unsure`` are tasks that may run only once. ``refusal`` says why it cannot be done.
    """

    run: RunRow
    path: str
    choice: Choice
    lines: list[Touched]
    more: int
    total: int
    run_count: int
    repeated: int
    unsure: list[str]
    refusal: str
    requests: list[AnyRequest]
    keys: list[str]


def clearing(home: Home, dag_id: str, run_id: str, sent: Sent) -> Changing:
    """What clearing as it was chosen is about; NotFoundError where there is no such run or task."""
    run, choice = home.reads.run(dag_id, run_id), _choice(sent, spreads=True)
    things: list[Touched] = []
    requests: list[AnyRequest] = []
    keys: list[str] = []
    refusal = "" if run.run_key else "This run is only asked for so far: there is nothing to clear."
    try:
        for one in runs_around(home, run, past=choice.past, future=choice.future) if run.run_key else ():
            request = _clearing_of(home, one, choice)
            if request is None:
                continue
            about = touched(home, one, request.tasks)
            things += about
            requests.append(request)
            keys.append(f"clear:{stamp_of(about, request.same_key, request.version_id)}")
    except UsageError as error:
        refusal = str(error)
    if not requests and not refusal:
        refusal = "None of these has failed: there is nothing to clear."
    return _changing(home, run, choice, things, requests, keys, refusal)


def marking(home: Home, dag_id: str, run_id: str, sent: Sent) -> Changing:
    """What marking as it was chosen is about."""
    run, choice = home.reads.run(dag_id, run_id), _choice(sent, spreads=False)
    found = markings_of(home, run, choice.places, choice.state, upstream=choice.upstream, downstream=choice.downstream)
    things = touched(home, run, [(one.task_id, one.map_index) for one in found])
    stamp = stamp_of(things, choice.state)
    refusal = "" if run.run_key else "This run is only asked for so far: there is nothing to mark."
    keys = [f"mark:{stamp}:{number}" for number in range(len(found))]
    return _changing(home, run, choice, things, list(found), keys, refusal)


def require_doable(view: Changing) -> None:
    """ConflictError where there is nothing to do."""
    if view.refusal:
        raise ConflictError(view.refusal)


def _clearing_of(home: Home, run: RunRow, choice: Choice) -> ClearTasks | None:
    """None where nothing of that run is to be cleared."""
    try:
        return clearing_of(
            home,
            run,
            choice.places,
            upstream=choice.upstream,
            downstream=choice.downstream,
            only_failed=choice.only_failed,
            same_version=not choice.latest,
            same_key=choice.same_key,
        )
    except ConflictError:
        return None


def _changing(
    home: Home,
    run: RunRow,
    choice: Choice,
    things: list[Touched],
    requests: list[AnyRequest],
    keys: list[str],
    refusal: str,
) -> Changing:
    if not home.who.may(Right.EDIT, run.dag_id):
        raise ForbiddenError(f"{home.who.name} may see the DAG {run.dag_id!r}, but not change it")
    ran = [one for one in things if one.attempts]
    return Changing(
        run=run,
        path=f"/dags/{segment(run.dag_id)}/runs/{segment(run.run_id)}",
        choice=choice,
        lines=things[:_SHOWN],
        more=len(things[_SHOWN:]),
        total=sum(one.number for one in things),
        run_count=len({one.run.run_key for one in things}),
        repeated=sum(one.number for one in ran),
        unsure=sorted({one.task_id for one in ran if one.delivery is Delivery.AT_MOST_ONCE}),
        refusal=refusal,
        requests=requests,
        keys=keys,
    )


def _choice(sent: Sent, *, spreads: bool) -> Choice:
    """``spreads``: what comes after goes with it, unless it is chosen otherwise. UsageError for what no form of ours
    sends.
    """
    tasks = tuple(dict.fromkeys(sent.get("task", ())))
    if len(tasks) > _MOST_TASKS:
        raise UsageError(f"at most {_MOST_TASKS} tasks are named at once")
    is_chosen = "chosen" in sent
    return Choice(
        tasks=tasks,
        map_index=_index(sent),
        upstream=_is_on(sent, "upstream"),
        downstream=_is_on(sent, "downstream") if is_chosen else spreads and bool(tasks),
        past=_is_on(sent, "past"),
        future=_is_on(sent, "future"),
        only_failed=_is_on(sent, "only_failed"),
        latest=_is_on(sent, "latest"),
        same_key=_is_on(sent, "same_key"),
        state=_state(sent),
    )


def _is_on(sent: Sent, name: str) -> bool:
    return any(sent.get(name, ()))


def _state(sent: Sent) -> TaskState:
    text = (sent.get("state") or (MARKS[0],))[-1]
    if text not in MARKS:
        raise UsageError(f"a task cannot be marked as {text!r}; choose one of {', '.join(MARKS)}")
    return TaskState(text)


def _index(sent: Sent) -> int:
    text = (sent.get("map_index") or ("",))[-1]
    if not text:
        return UNMAPPED
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise UsageError(f"map_index: {text!r} is no number of an instance")
    return int(text)
