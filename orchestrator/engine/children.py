"""Children: the runs that runs start, from their first fact to what their end means to whoever waits for them."""

import re
from collections.abc import Callable
from datetime import datetime
from itertools import chain, count
from typing import Literal

import msgspec

from orchestrator.core import advances, asks, outcomes, run_types
from orchestrator.core.activations import StartChild
from orchestrator.core.commands import CancelChild
from orchestrator.core.events import (
    ActivityDeferred,
    ChildStarted,
    RunCreated,
    RunEnded,
)
from orchestrator.core.orders import Completed, Deferred, Failed, Report, Skipped
from orchestrator.core.parenthood import child_of
from orchestrator.core.particulars import Failure, RunLink, XCom
from orchestrator.core.requests import ClearTasks
from orchestrator.core.run import Run
from orchestrator.engine import creation
from orchestrator.engine.memory import Memory
from orchestrator.engine.turn import Turn
from orchestrator.exceptions import ConflictError, NotFoundError, OrchestratorError, StorageUnavailableError
from orchestrator.names import AttemptKey, FailureKind, ParentClose, RunState, RunType, TaskState
from orchestrator.ports import HistoryStore, Projections

_OF_ATTEMPT = re.compile(r"(.+)/(-?\d+)/(\d+)")


class RunWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The run that a deferred attempt waits for, or with ``wait`` False only starts.

    ``allowed_states``: the ends that are the attempt's success. ``if_taken``: what becomes of the attempt where there
    is a run of that ``run_id`` (``reset``: that is done anew); ``if_paused``: what where the DAG is paused, in which a
    run waits. ``push_as``: under
    which key the run's id is left for others to pull.
    """

    dag_id: str
    conf: msgspec.Raw = msgspec.Raw(b"{}")
    run_id: str | None = None
    close: ParentClose = ParentClose.CANCEL
    logical_date: datetime | None = None
    wait: bool = True
    allowed_states: frozenset[RunState] = frozenset({RunState.SUCCESS})
    if_taken: Literal["fail", "skip", "reset"] = "fail"
    if_paused: Literal["queue", "fail"] = "queue"
    push_as: str | None = None


class Trigger(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an attempt can be deferred to."""

    run: RunWish


class Children:
    """A child's first fact and its parent's ChildStarted are of one commit, and so are its end and ChildEnded."""

    def __init__(
        self,
        memory: Memory,
        store: HistoryStore,
        projections: Projections,
        keys: creation.RunKeys,
        new_uid: Callable[[], str],
    ) -> None:
        self._memory = memory
        self._store = store
        self._projections = projections
        self._keys = keys
        self._new_uid = new_uid
        self._doubtful: dict[int, None] = {}

    # ── how they begin ───────────────────────────────────────────────────────────────────────────────────

    def start(self, turn: Turn, parent: Run, wish: StartChild, heard: int = 0) -> None:
        """Make the run that is wished for; where it cannot be made, it has failed as soon as it was asked for."""
        run_id = wish.run_id or ""
        try:
            run_id = self._name(turn, parent, wish)
            created = self._created(turn, parent, wish, run_id)
            plan = self._memory.roster.plan(created.version_id)
        except StorageUnavailableError:
            raise
        except OrchestratorError as error:
            started, ended = advances.child_refused(wish, run_id, str(error), heard=heard)
            turn.record_all(parent, (started, ended))
            self._tell_attempt(turn, parent, wish.child_id, RunEnded(state=ended.state, reason=ended.reason))
            return
        run, first = creation.begin(self._keys.next(), plan, created, turn.now)
        turn.record(parent, advances.child_started(wish, run_id, run.run_key, heard=heard))
        turn.begin(run, first)
        self._memory.place(run)

    def start_deferred(self, turn: Turn, run: Run, report: Deferred) -> None:
        """An attempt is deferred to a run: make it. A trigger of another kind never comes, so the attempt fails."""
        child_id = child_of(report.key.task_id, report.key.map_index, report.key.attempt)
        if _attempt_of(run, child_id) is None or child_id in run.children:
            return
        try:
            wish = msgspec.json.decode(report.trigger, type=Trigger).run
        except msgspec.DecodeError as error:
            message = f"it was deferred to {bytes(report.trigger).decode()}, which is not known here ({error})"
            self._report(turn, run, _failed(report.key, turn, FailureKind.NON_RETRYABLE, message))
            return
        if (instead := self._instead(turn, run, report.key, wish)) is not None:
            self._report(turn, run, instead)
            return
        asked = StartChild(
            child_id=child_id,
            dag_id=wish.dag_id,
            run_id=wish.run_id,
            conf=wish.conf,
            close=wish.close,
            logical_date=wish.logical_date,
        )
        self.start(turn, run, asked)
        if not wish.wait and _attempt_of(run, child_id) is not None:
            pushed = _pushed(wish, run.children[child_id].run_id)
            self._report(turn, run, Completed(key=report.key, at=turn.now, xcoms=pushed))

    def _instead(self, turn: Turn, run: Run, key: AttemptKey, wish: RunWish) -> Report | None:
        """How the attempt ends without the run that it wishes for, if it is not to be made."""
        entry = self._memory.schedules.entry(wish.dag_id)
        if wish.if_paused == "fail" and entry is not None and entry.is_paused:
            return _failed(key, turn, FailureKind.ERROR, f"DAG {wish.dag_id!r} is paused, so no run of it is started")
        if wish.if_taken == "skip" and wish.run_id is not None and self._is_taken(turn, wish.dag_id, wish.run_id):
            return Skipped(key=key, at=turn.now, reason=f"DAG {wish.dag_id!r} has a run {wish.run_id!r} already")
        if wish.if_taken == "reset" and wish.run_id is not None and self._is_taken(turn, wish.dag_id, wish.run_id):
            return self._reset(turn, run, key, wish, wish.run_id)
        return None

    def _reset(self, turn: Turn, parent: Run, key: AttemptKey, wish: RunWish, run_id: str) -> Report:
        """Have all tasks of the run that there is done anew, in the commit that ends the attempt."""
        run_key = turn.begun(wish.dag_id, run_id) or self._projections.run_key(wish.dag_id, run_id)
        there = None if run_key is None else self._memory.roster.get(run_key)
        if there is None or there is parent:
            return _failed(key, turn, FailureKind.ERROR, f"run {run_id!r} cannot reset itself")
        was_ended = there.is_ended
        clear = ClearTasks(dag_id=wish.dag_id, run_id=run_id, tasks=tuple((name, None) for name in there.nodes))
        facts = asks.facts_of(there, clear)
        if isinstance(facts, str):
            return _failed(key, turn, FailureKind.ERROR, facts)
        turn.record_all(there, facts)
        turn.tie(parent.run_key, there.run_key)
        if was_ended and not there.is_ended:
            self._memory.place(there)
        return Completed(key=key, at=turn.now, xcoms=_pushed(wish, run_id))

    def _created(self, turn: Turn, parent: Run, wish: StartChild, run_id: str) -> RunCreated:
        entry = self._memory.schedules.entry(wish.dag_id)
        if entry is None or entry.is_stale:
            raise NotFoundError(f"there is no DAG {wish.dag_id!r} to run; put its file into the dags folder")
        if (refusal := run_types.refusal(entry.spec, RunType.OPERATOR_TRIGGERED)) is not None:
            raise ConflictError(refusal)
        most = entry.spec.max_active_runs
        if wish.close is ParentClose.CANCEL and self._above(parent, wish.dag_id) >= most:
            raise ConflictError(
                f"DAG {wish.dag_id!r} has max_active_runs {most}, and as many of its runs wait above this child, which "
                f"could never begin; let the recursion end sooner, or raise max_active_runs"
            )
        return creation.from_parent(entry, wish, _link(parent), run_id, self._new_uid(), turn.now)

    def _above(self, parent: Run, dag_id: str) -> int:
        """How many runs of that DAG there are from this parent upwards."""
        count, above = 0, parent
        while True:
            count += above.dag_id == dag_id
            link = above.created.parent
            found = None if link is None else self._memory.roster.held(link.run_key)
            if found is None:
                return count
            above = found

    def _name(self, turn: Turn, parent: Run, wish: StartChild) -> str:
        """The run_id that was asked for, or one that nobody has."""
        if wish.run_id is not None:
            if self._is_taken(turn, wish.dag_id, wish.run_id):
                raise ConflictError(f"DAG {wish.dag_id!r} has a run {wish.run_id!r} already")
            return wish.run_id
        name = f"{wish.child_id.replace('/', '.')}__{parent.run_id}"
        names = chain([name], (f"{name}__{number}" for number in count(2)))
        return next(name for name in names if not self._is_taken(turn, wish.dag_id, name))

    def _is_taken(self, turn: Turn, dag_id: str, run_id: str) -> bool:
        return turn.begun(dag_id, run_id) is not None or self._projections.run_key(dag_id, run_id) is not None

    # ── how they end ─────────────────────────────────────────────────────────────────────────────────────

    def ended(self, turn: Turn, child: Run, end: RunEnded) -> list[Run]:
        """Tell the parent that its child has ended; that parent, if it waited for it."""
        created = child.created
        parent = None if created.parent is None else self._memory.roster.held(created.parent.run_key)
        if parent is None or created.child_id is None or not parent.awaits(created.child_id, child.run_key):
            return []
        self._end(turn, parent, created.child_id, end)
        return [parent]

    def cancel(self, turn: Turn, command: CancelChild) -> list[Run]:
        """Have it wound up; the child, unless it has ended or is being cancelled."""
        child = self._memory.roster.held(command.child_run_key)
        facts = [] if child is None else asks.cancelled(child, "parent", command.reason)
        if child is None or not facts:
            return []
        turn.record_all(child, facts)
        return [child]

    def _end(self, turn: Turn, parent: Run, child_id: str, end: RunEnded) -> None:
        run_id = parent.children[child_id].run_id
        turn.record(parent, advances.child_ended(child_id, end))
        self._tell_attempt(turn, parent, child_id, end, run_id)

    def _tell_attempt(self, turn: Turn, run: Run, child_id: str, end: RunEnded, run_id: str = "") -> None:
        """The end of the child is the end of the attempt that waits for it, if there is one.

        ``run_id`` is the child's, empty where none was made.
        """
        key = _attempt_of(run, child_id)
        if key is None:
            return
        wish = self._wish(turn, run, key)
        message = f"the run that it waited for has failed: {end.reason}"
        if end.state is RunState.SUCCESS:
            message = "the run that it waited for has succeeded, which is not among its allowed_states"
        report: Report = _failed(key, turn, FailureKind.ERROR, message)
        if run_id and end.state in wish.allowed_states:
            report = Completed(
                key=key,
                at=turn.now,
                result=end.result,
                payload=end.payload,
                length=_length(end),
                xcoms=_pushed(wish, run_id),
            )
        self._report(turn, run, report)

    def _wish(self, turn: Turn, run: Run, key: AttemptKey) -> RunWish:
        """What the attempt was deferred to."""
        seq = run.nodes[key.task_id].activity(key.map_index).deferred_seq
        fact = turn.fact(run, seq) or self._store.facts(run.run_key, [seq])[seq]
        assert isinstance(fact.event, ActivityDeferred)
        return msgspec.json.decode(fact.event.trigger, type=Trigger).run

    def _report(self, turn: Turn, run: Run, report: Report) -> None:
        turn.record_all(run, outcomes.facts_of(run, report, now=turn.now))

    # ── making sure ──────────────────────────────────────────────────────────────────────────────────────

    def doubt(self, run: Run) -> None:
        """What is recorded with this run and with its kin may not agree: a part was left out of a commit."""
        self._doubtful[run.run_key] = None

    def doubt_kin(self, run: Run, now: datetime) -> None:
        """The part of this run was refused: its parent and its children may wait for what was in it."""
        keys = [run.run_key, *(child.child_run_key for child in run.children.values())]
        if run.created.parent is not None:
            keys.append(run.created.parent.run_key)
        for run_key in keys:
            kin = self._memory.roster.held(run_key)
            if kin is not None:
                self.doubt(kin)
                self._memory.alarms.set(run_key, now)

    def reconcile(self, turn: Turn) -> None:
        """Record the ends that are not recorded with the parents, and cancel those whose parent is gone."""
        for run in turn.resets:  # what it awaits again may have ended since
            if not run.is_ended:
                self._reconcile_children(turn, run)
        doubtful, self._doubtful = self._doubtful, {}
        for held in map(self._memory.roster.held, doubtful):
            if held is None or held.is_ended:
                continue
            self._reconcile_children(turn, held)
            if held.created.parent is not None:
                self._reconcile_parent(turn, held, held.created.parent)

    def _reconcile_children(self, turn: Turn, run: Run) -> None:
        for child_id, started in list(run.children.items()):
            child = self._memory.roster.get(started.child_run_key)
            if child is None:
                self._end(turn, run, child_id, RunEnded(state=RunState.FAILED, reason="it could not be started"))
            elif child.is_ended:
                self._end(turn, run, child_id, self._end_of(child))

    def _reconcile_parent(self, turn: Turn, run: Run, link: RunLink) -> None:
        """A child that had ended, and goes on because somebody asked for that, does so whatever its parent does."""
        parent = self._memory.roster.get(link.run_key)
        name = f"its parent, run {link.run_id!r} of DAG {link.dag_id!r},"
        if parent is not None and not parent.is_ended and self._knows(parent, link, run.run_key):
            self._reconcile_children(turn, parent)
        elif run.is_reopened:
            return
        elif parent is not None and not self._knows(parent, link, run.run_key):
            turn.record_all(run, asks.cancelled(run, "parent", f"{name} has nothing recorded of it"))
        elif run.created.close is ParentClose.CANCEL:
            turn.record_all(run, asks.cancelled(run, "parent", f"{name} has ended"))

    def _knows(self, parent: Run, link: RunLink, child_run_key: int) -> bool:
        """Whether the fact of the parent that the link names is the beginning of this child."""
        if any(child.child_run_key == child_run_key for child in parent.children.values()):
            return True
        fact = self._store.facts(parent.run_key, [link.seq]).get(link.seq) if link.seq <= parent.seq else None
        return fact is not None and isinstance(fact.event, ChildStarted) and fact.event.child_run_key == child_run_key

    def _end_of(self, run: Run) -> RunEnded:
        ends = (fact.event for fact in reversed(self._store.read(run.run_key)) if isinstance(fact.event, RunEnded))
        return next(ends, RunEnded(state=run.state, reason=run.reason))


def _attempt_of(run: Run, child_id: str) -> AttemptKey | None:
    """The attempt that is deferred to the child of that name, if there is one."""
    name = _OF_ATTEMPT.fullmatch(child_id)
    node = None if name is None else run.nodes.get(name[1])
    if name is None or node is None:
        return None
    key = AttemptKey(run.run_key, name[1], int(name[2]), int(name[3]))
    activity = node.peek(key.map_index)
    waits = activity is not None and (activity.state, activity.attempt) == (TaskState.DEFERRED, key.attempt)
    return key if waits else None


def _link(parent: Run) -> RunLink:
    """The parent at its next fact, which names the child."""
    return RunLink(run_key=parent.run_key, dag_id=parent.dag_id, run_id=parent.run_id, seq=parent.seq + 1)


def _failed(key: AttemptKey, turn: Turn, kind: FailureKind, message: str) -> Failed:
    return Failed(key=key, at=turn.now, kind=kind, failure=Failure(message=message))


def _pushed(wish: RunWish, run_id: str) -> dict[str, XCom]:
    return {} if wish.push_as is None else {wish.push_as: XCom(value=msgspec.Raw(msgspec.json.encode(run_id)))}


def _length(end: RunEnded) -> int | None:
    """How many items there are in the child's result, where it is a list or a dict."""
    value = msgspec.json.decode(end.result)
    return len(value) if isinstance(value, list | dict) else None
