"""WorkflowRun: the state of a run of a workflow: what its code has asked for, and what it has not heard of yet."""

import heapq
from collections.abc import Iterator
from datetime import datetime

from orchestrator.core.activity import Activity, Node
from orchestrator.core.board import Place
from orchestrator.core.event import Asked
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityCompleted,
    ActivityFailed,
    ActivityRequested,
    ActivitySkipped,
    AnyEvent,
    ChildEnded,
    Recorded,
    RunBlocked,
    RunCancelRequested,
    RunContinued,
    RunEnded,
    RunMoved,
    RunReset,
    RunResumed,
    RunStarted,
    SignalReceived,
    TimerCancelled,
    TimerFired,
    TimerSet,
    UpdateAnswered,
    UpdateReceived,
    ValueRecorded,
)
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.names import FINISHED, AttemptKey, TaskState

_STARTABLE = frozenset(
    {TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE},
)
_USUAL = (1, 1, 0)  # attempt, generation and outdated of a call that came to its end at once
_NEWS = frozenset({RunCancelRequested, RunContinued, RunReset, SignalReceived, UpdateReceived})
_LETTERS = (SignalReceived, UpdateReceived)
_REPORTS = (ActivityCompleted, ActivityFailed, ActivitySkipped)


class WorkflowRun(Run):
    """A run whose code is replayed.

    A call of an activity lies on the board at its occurrence. ``unended`` are the calls without an end, in order of
    asking; ``fresh`` those that ``decide`` has not let go yet. ``timers`` are those that have not fired, ``children``
    those that have not ended, ``updates`` the seq of each update without an answer, ``update_ids`` that of all. What
    is ``shielded`` outlives a cancellation.

    ``asked_until`` is the seq of the last fact that the code asked for, ``news_at`` of the last that it must hear of,
    ``letter_at`` of the last signal, update or cancellation, ``cancelled_at`` of the request that it hears as its
    cancellation, ``began_at`` of the fact that its replay begins with, and ``renewed_at`` of the last fact before which
    nothing that it said counts. ``heard_until`` is how far it has been told; the fold knows the least of it, and
    whoever tells the code says more by ``told`` and ``answered``.
    """

    unmade = TaskState.REMOVED

    def __init__(self, run_key: int, plan: Plan, first: Recorded) -> None:
        self.unended: dict[Place, None] = {}
        self.fresh: dict[Place, None] = {}
        super().__init__(run_key, plan, first)
        self.timers: dict[str, datetime] = {}
        self.updates: dict[str, int] = {}
        self.blocked: RunBlocked | None = None
        self.asked_until = 0
        self.news_at = self.began_at = self.renewed_at = 1
        self.letter_at = self.cancelled_at = 0
        self.heard_until = 0
        self.activating: int | None = None
        self.alarms: list[tuple[datetime, str]] = []
        self.shielded: set[Place] = set()
        self.shielded_timers: set[str] = set()
        self.update_ids: dict[str, int] = {}
        self._marks: dict[Place, tuple[int, int, int]] = {}
        self._lapses: list[tuple[int, tuple[range, ...]]] = []
        self._outdated: dict[Place, list[tuple[int, int]]] = {}

    # ── questions ────────────────────────────────────────────────────────────────────────────────────────

    @property
    def has_news(self) -> bool:
        """Whether there is something that the code has not heard and is not being told."""
        return self.activating is None and self.news_at > self.heard_until

    @property
    def is_replayed(self) -> bool:
        """Whether the code may go on: it is not blocked, not paused, and the run has not ended."""
        return not (self.is_ended or self.paused or self.blocked is not None)

    def input_of(self, task_id: str, map_index: int) -> int:
        """The seq of the ActivityRequested that has the call's input; 0 if it is not in the run (any more)."""
        activity = self.nodes[task_id].peek(map_index)
        return 0 if activity is None else activity.requested_seq

    def may_start(self, task_id: str, map_index: int) -> bool:
        """Also while the run is being cancelled: its code cleans up."""
        if self.is_ended or self.paused or (task_id, map_index) not in self.unended:
            return False
        activity = self.nodes[task_id].peek(map_index)
        return activity is not None and activity.state in _STARTABLE

    def tries_again(self, place: Place) -> bool:
        return place in self.unended

    def next_due(self) -> datetime | None:
        if self.is_ended:
            return None
        moments = [heap[0][0] for heap in (self.due, self._ringing()) if heap and not self.paused]
        if self.deadline is not None and self.cancelling is None:
            moments.append(self.deadline)
        return min(moments, default=None)

    def counts(self, fact: Recorded) -> bool:
        """Whether a fact of the history says anything still; after a reset many do not."""
        if isinstance(fact.event, _LETTERS) or not self._lapses:
            return True
        if isinstance(fact.event, _REPORTS) and self._is_outdated(fact.seq, fact.event):
            return False
        return not any(fact.seq in lapsed for lapsed in self._lapses[-1][1])

    def _is_outdated(self, seq: int, event: ActivityCompleted | ActivityFailed | ActivitySkipped) -> bool:
        """Whether it is about an attempt from before a reset, by which the call was to be done anew."""
        marks = self._outdated.get((event.task_id, event.map_index), ())
        return event.attempt > 0 and any(seq > since and event.attempt <= attempt for since, attempt in marks)

    # ── what is told to the code; not recorded ───────────────────────────────────────────────────────────

    def told(self, seq: int) -> None:
        """An activation is under way that says everything up to ``seq``."""
        self.activating = seq

    def answered(self, seq: int) -> None:
        """The code has taken in everything up to ``seq``."""
        self.activating = None
        self.heard_until = max(self.heard_until, seq)

    def unanswered(self) -> None:
        """Nobody will answer the activation that is under way: it is to be said again."""
        self.activating = None

    def take_doomed(self) -> Iterator[AttemptKey]:
        """Of a run that has ended also those that its end has closed: their bodies may go on."""
        if not self.is_ended:
            yield from super().take_doomed()
            return
        doomed, self.doomed = self.doomed, []
        yield from dict.fromkeys(doomed)

    # ── the fold ─────────────────────────────────────────────────────────────────────────────────────────

    def _fold(self, event: AnyEvent, at: datetime) -> None:
        kind = type(event)
        if isinstance(event, Asked):
            self.asked_until, self.heard_until = self.seq, event.heard or self.seq - 1
        if kind is ActivityRequested:  # most of them are: not looked for among all others
            self._fold_of_kind(event, at)
        else:
            super()._fold(event, at)
        took_over = kind is RunStarted and self.created.taken  # what its code asked for next may have stayed behind
        if kind in _NEWS or took_over:
            self.news_at = self.seq
        elif kind is RunMoved or kind is RunResumed:
            self._go_on(moved=kind is RunMoved)

    def _fold_of_kind(self, event: AnyEvent, at: datetime) -> None:
        match event:
            case ActivityRequested():
                self._requested(event)
            case ActivityCancelRequested():
                self._give_up((event.task_id, event.map_index), at)
            case TimerSet():
                self._set_timer(event)
            case TimerCancelled():
                self.timers.pop(event.timer_id, None)
            case TimerFired():
                if self.timers.pop(event.timer_id, None) is not None:
                    self.news_at = self.seq
            case SignalReceived():
                self.letter_at = self.seq
            case UpdateReceived():
                self.letter_at = self.updates[event.update_id] = self.seq
                self.update_ids[event.update_id] = self.seq
            case UpdateAnswered():
                self.updates.pop(event.update_id, None)
            case ValueRecorded(sent=True):
                self.news_at = self.seq
            case RunBlocked():
                self.blocked = event
            case RunContinued():
                self._continued(at)
            case _:
                pass  # VersionMarker and what side_effect gave: for the code alone

    def _go_on(self, *, moved: bool) -> None:
        if self.blocked is not None:
            self.blocked, self.news_at = None, self.seq
        elif not moved:
            return
        self._begin_again()

    def _begin_again(self) -> None:
        """What the code says of what it was told before counts no more: it is replayed from the start."""
        self.renewed_at = self.seq
        self.activating = None

    # ── calls ────────────────────────────────────────────────────────────────────────────────────────────

    def _put(self, node: Node, map_index: int, activity: Activity, state: TaskState, at: datetime) -> None:
        super()._put(node, map_index, activity, state, at)
        place = (node.task.task_id, map_index)
        if state not in FINISHED:
            self.unended[place] = None
        elif place in self.unended:
            self._strike(place)
            self.news_at = self.seq

    def _reset(self, node: Node, map_index: int, activity: Activity, at: datetime) -> None:
        super()._reset(node, map_index, activity, at)
        self.fresh[node.task.task_id, map_index] = None

    def _strike(self, place: Place) -> None:
        del self.unended[place]
        self.fresh.pop(place, None)
        self.shielded.discard(place)

    def _requested(self, event: ActivityRequested) -> None:
        node = self.nodes[event.task_id]
        place = (event.task_id, event.map_index)
        node.size = max(node.size, event.map_index + 1)
        node.shape = (node.size,)
        node.activity(event.map_index).requested_seq = self.seq
        self.unfinished += 1
        self.touched.add(place)
        self.unended[place] = self.fresh[place] = None
        if event.shielded:
            self.shielded.add(place)

    def _give_up(self, place: Place, at: datetime) -> None:
        """Nobody wants it any more: an attempt that is open ends, and what it reports changes nothing."""
        if place not in self.unended:
            return
        self._strike(place)
        node = self.nodes[place[0]]
        activity = node.activity(place[1])
        self._doom(*place)
        self._disown_of(*place, activity.attempt)
        self._put(node, place[1], activity, TaskState.FAILED if activity.attempt else TaskState.SKIPPED, at)

    def _look_again(self) -> None:
        found = {place: self.nodes[place[0]].activity(place[1]) for place in self.unended}
        self.fresh = {place: None for place, activity in found.items() if activity.state is TaskState.NONE}
        self.due = [
            (activity.retry_at, *place)
            for place, activity in found.items()
            if activity.state in _STARTABLE and activity.retry_at is not None
        ]
        heapq.heapify(self.due)

    # ── timers ───────────────────────────────────────────────────────────────────────────────────────────

    def _set_timer(self, event: TimerSet) -> None:
        self.timers[event.timer_id] = event.fire_at
        heapq.heappush(self.alarms, (event.fire_at, event.timer_id))
        if event.shielded:
            self.shielded_timers.add(event.timer_id)

    def _ringing(self) -> list[tuple[datetime, str]]:
        """The heap of timers, without those at its head that are over."""
        while self.alarms and self.timers.get(self.alarms[0][1]) != self.alarms[0][0]:
            heapq.heappop(self.alarms)
        return self.alarms

    def take_due_timers(self, now: datetime) -> Iterator[str]:
        """The timers that have come; each is named once."""
        while (alarms := self._ringing()) and alarms[0][0] <= now:
            yield heapq.heappop(alarms)[1]

    def _child_ended(self, event: ChildEnded) -> None:
        if self.children.pop(event.child_id, None) is not None:
            self.news_at = self.seq

    # ── the ends of things ───────────────────────────────────────────────────────────────────────────────

    def _cancel(self, at: datetime) -> None:
        self.letter_at = self.cancelled_at = self.seq
        for place in [place for place in self.unended if place not in self.shielded]:
            self._give_up(place, at)
        self.timers = {name: moment for name, moment in self.timers.items() if name in self.shielded_timers}
        self._disown(child for child in self.children.values() if not child.shielded)

    def _ended(self, event: RunEnded, at: datetime) -> None:
        for place in list(self.unended):
            self._give_up(place, at)
        super()._ended(event, at)
        for place, attempt in list(self.open.items()):  # its code waits for none of them: what they report is evidence
            self._close(place, attempt)
        self._drop_what_waits()
        self.updates.clear()
        self.blocked = self.activating = None

    def _continued(self, at: datetime) -> None:
        for place in list(self.unended):
            self._give_up(place, at)
        self._drop_what_waits()
        self.children = {}
        self.began_at = self.seq
        self.update_ids = dict(self.updates)
        for task_id, node in self.nodes.items():
            self._forget_calls(task_id, node)

    def _drop_what_waits(self) -> None:
        self.timers, self.alarms, self.shielded_timers = {}, [], set()

    def _forget_calls(self, task_id: str, node: Node) -> None:
        """Drop the calls that are over, but for their numbers, and those that are still to be written down."""
        kept = {}
        for map_index, activity in (node.many or {}).items():
            if (task_id, map_index) in self.touched or (task_id, map_index) in self.open:
                kept[map_index] = activity
                continue
            if activity.state is TaskState.FAILED:
                node.bad -= 1
            numbers = (activity.attempt, activity.generation, activity.outdated)
            if activity.requested_seq and numbers != _USUAL:  # not a blank that late evidence left
                self._marks[task_id, map_index] = numbers
        node.many = kept

    # ── another version, and going back ──────────────────────────────────────────────────────────────────

    def _lay_out(self) -> None:
        super()._lay_out()
        for node in self.nodes.values():
            node.shape, node.size, node.released = (0,), 0, True
        self.unfinished, self.agenda = 0, {}

    def move(self, plan: Plan) -> None:
        super().move(plan)
        self._list_calls()

    def _list_calls(self) -> None:
        """Find again what has no end, in order of asking."""
        found = [
            (activity.requested_seq, task_id, map_index)
            for task_id, node in self.nodes.items()
            for map_index, activity in (node.many or {}).items()
            if activity.requested_seq and activity.state not in FINISHED
        ]
        self.unended = {(task_id, map_index): None for _, task_id, map_index in sorted(found)}
        self.unfinished, self.agenda = len(self.unended), {}
        self._look_again()

    def rewind(self, past: Run) -> None:
        assert isinstance(past, WorkflowRun)
        super().rewind(past)
        self._list_calls()
        self.shielded, self.shielded_timers = past.shielded, past.shielded_timers
        self.timers, self.alarms = past.timers, past.alarms
        since = {name: seq for name, seq in self.update_ids.items() if seq > past.seq}
        self.updates = past.updates | since
        self.update_ids |= past.update_ids
        self.blocked, self.heard_until = None, 0
        self.asked_until, self.began_at = past.asked_until, past.began_at
        self.cancelled_at = past.cancelled_at
        self._begin_again()
        self._lapse_after(past.seq)

    def _lapse_after(self, seq: int) -> None:
        before = next((ranges for reset_at, ranges in reversed(self._lapses) if reset_at <= seq), ())
        self._lapses.append((self.seq, (*before, range(seq + 1, self.seq))))

    def _begin_anew(self, place: Place, now: Activity, was: Activity | None, at: datetime) -> None:
        super()._begin_anew(place, now, was, at)
        if now.outdated:
            self._outdated.setdefault(place, []).append((self.seq, now.outdated))

    def _rewind_children(self, past: Run) -> None:
        """Those that were open then are awaited again: should one have ended since, that is to be recorded again."""
        self._disown(child for name, child in self.children.items() if past.children.get(name) != child)
        self.children = past.children

    def _reshape(self, node: Node, now: Node, _then: Node | None) -> None:
        node.shape, node.size = now.shape, now.size

    def _recalled(self, place: Place, was: Activity) -> Activity:
        """A call that RunContinued had dropped, as to its numbers."""
        activity = Activity()
        activity.attempt, activity.generation, activity.outdated = self._marks.get(place, _USUAL)
        activity.requested_seq, activity.scheduled_seq = was.requested_seq, was.scheduled_seq
        activity.state = TaskState.REMOVED
        return activity
