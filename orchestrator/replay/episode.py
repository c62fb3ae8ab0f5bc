"""Episode: the code of a run from where it begins, or begins anew, to where it ends: facts in, commands out."""

from collections import deque
from collections.abc import Callable

from orchestrator.authoring.blue import Definition, RunView
from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityRequested,
    ActivityScheduled,
    ActivitySkipped,
    ChildEnded,
    ChildStarted,
    OutcomeResolved,
    Recorded,
    RunCancelRequested,
    RunEnded,
    SignalReceived,
    TimerFired,
    TimerSet,
    UpdateReceived,
    ValueRecorded,
)
from orchestrator.exceptions import (
    DeliveryError,
    WorkflowCancelled,
    WorkflowError,
)
from orchestrator.names import Delivery
from orchestrator.replay.asker import Asker
from orchestrator.replay.beginning import Beginning
from orchestrator.replay.course import Course
from orchestrator.replay.ledger import Slot
from orchestrator.replay.outcomes import ActivityEvent, Load, cancelled, counts, of_call, of_child
from orchestrator.replay.places import Places
from orchestrator.replay.records import key_of

_ACTIVITIES = (
    ActivityCleared,
    ActivityCompleted,
    ActivityFailed,
    ActivityLost,
    ActivityMarked,
    ActivityScheduled,
    ActivitySkipped,
    OutcomeResolved,
)
_SILENT = (ActivityScheduled, ActivityLost, ActivityCleared)
_NEWS = (*_ACTIVITIES, TimerFired, ChildEnded, SignalReceived, UpdateReceived, RunCancelRequested, RunEnded)


class Episode:
    """``ended`` is the recorded end of the run, ``is_ending_said`` whether that of the code was given as a command."""

    def __init__(
        self,
        beginning: Beginning,
        definition: Definition,
        places: Places,
        load: Load,
        view: Callable[[int], RunView],
    ) -> None:
        self.ended: Recorded | None = None
        self.is_ending_said = False
        self.course = Course(definition, places)
        self.hub = self.course.hub
        self.ledger = self.course.ledger
        self._definition = definition
        self._load = load
        self._news: deque[Recorded] = deque()
        self._asker = Asker(beginning, definition, self.course, view, self._heard)
        self.course.door = self._asker
        for name, payload in beginning.signals:
            self.course.inbox.receive(name, payload)
        self.course.main(lambda: definition.begin(beginning.given))
        self._news.extend(Recorded(beginning.seq, beginning.at, event) for event in beginning.late)

    # ── facts in ─────────────────────────────────────────────────────────────────────────────────────────

    def take(self, fact: Recorded) -> None:
        """The next fact."""
        self.ledger.is_all_told = False
        key = key_of(fact.event)
        if key is not None:
            slot = self.ledger.record(key, fact)
            self._recorded(slot, fact)
        if self.hub.is_over:
            self._take_after_the_end(fact)
            return
        if isinstance(fact.event, _NEWS):
            self._news.append(fact)
            if type(fact.event) not in _SILENT:
                self.ledger.heard_at = fact.seq
        self.go_on()

    def _take_after_the_end(self, fact: Recorded) -> None:
        """Nobody hears of it; but what has ended by itself needs no end that the code had asked for before."""
        event = fact.event
        if isinstance(event, RunEnded):
            self.ended = fact
        elif isinstance(event, TimerFired):
            self.ledger.withdraw(("cancel", event.timer_id))
        elif isinstance(event, SignalReceived | UpdateReceived | RunCancelRequested):
            self.course.carry(event)
        elif isinstance(event, _ACTIVITIES):
            self._activity(fact, event)

    def all_told(self) -> None:
        """There are no more facts: whoever looks ahead knows all there is."""
        self.ledger.is_all_told = True
        self.go_on()

    def go_on(self) -> None:
        """Let the code take in what it has been told, one fact at a time, until it can go no further."""
        while self.hub.run() and self._news and not self.hub.is_over:
            self._deliver(self._news.popleft())
        if self.hub.is_over:
            while self._news:
                self._take_after_the_end(self._news.popleft())

    def _recorded(self, slot: Slot, fact: Recorded) -> None:
        """A fact that the code asks for is on record: from here on facts can say what came of it."""
        event = fact.event
        if isinstance(event, ActivityRequested):
            self.ledger.open["call", event.task_id, event.map_index] = slot
        elif isinstance(event, TimerSet | ChildStarted) and not slot.is_asked:
            self.ledger.open[slot.key] = slot
        elif isinstance(event, ValueRecorded) and event.sent:
            self.ledger.open[slot.key] = slot
            self._news.append(fact)
        if slot.is_given_up:
            self._asker.end(slot)

    def _deliver(self, fact: Recorded) -> None:
        event = fact.event
        if isinstance(event, _ACTIVITIES):
            self._activity(fact, event)
        elif isinstance(event, TimerFired):
            self.ledger.withdraw(("cancel", event.timer_id))
            self._came(fact, self.ledger.open.pop(("timer", event.timer_id), None))
        elif isinstance(event, ChildEnded):
            self._came(fact, self.ledger.open.pop(("child", event.child_id), None))
        elif isinstance(event, ValueRecorded):
            self._came(fact, self.ledger.open.pop(("value", event.name), None))
        elif isinstance(event, SignalReceived):
            self._at(fact)
            self.course.receive(event)
        elif isinstance(event, UpdateReceived):
            self._at(fact)
            self.course.start_update(event)
        elif isinstance(event, RunCancelRequested):
            if not self.course.is_cancelled:
                self._at(fact)
                self._cancel(event.reason)
        elif isinstance(event, RunEnded):
            self.ended = fact
            self.hub.is_over = True

    def _at(self, fact: Recorded) -> None:
        self._asker.at, self._asker.seq = max(self._asker.at, fact.at), fact.seq
        self.hub.stir()

    def _activity(self, fact: Recorded, event: ActivityEvent) -> None:
        count = getattr(event, "count", 1)
        for map_index in range(event.map_index, event.map_index + count):
            key = ("call", event.task_id, map_index)
            slot = self.ledger.open.get(key)
            if slot is None:
                continue
            task = self._definition.activities.get(event.task_id)
            is_transactional = task is not None and task.delivery is Delivery.TRANSACTIONAL
            if counts(event, slot, is_transactional=is_transactional):
                del self.ledger.open[key]
                self.ledger.withdraw(("cancel", event.task_id, map_index))
                self._came(fact, slot)

    def _came(self, fact: Recorded, slot: Slot | None) -> None:
        """Something has come of what the code asked for; kept where it has not asked for it yet."""
        if slot is None:
            return
        slot.outcome = fact
        if slot.is_asked and slot in self.ledger.waiting:
            self._at(fact)
            self._heard(slot)

    def _heard(self, slot: Slot) -> None:
        """The code hears what has come of it."""
        self.ledger.open.pop(slot.key, None)
        assert slot.outcome is not None
        event = slot.outcome.event
        if isinstance(event, TimerFired):
            self.ledger.settle(slot)
        elif isinstance(event, ValueRecorded):
            why = values.decode(event.value)
            self.ledger.settle(slot, error=None if why is None else DeliveryError(str(why)))
        elif isinstance(event, ChildEnded):
            assert slot.fact is not None
            assert isinstance(slot.fact.event, ChildStarted)
            self.ledger.settle(slot, *of_child(event, slot.fact.event, self._load))
        else:
            self.ledger.settle(slot, *of_call(event, str(slot.key[1]), self._load))

    def _cancel(self, reason: str) -> None:
        """The run is to end: each strand hears it at its wait, and what is open and not shielded has ended."""
        self.course.is_cancelled = True
        message = f"the run was cancelled: {reason}"
        for strand in self.hub.strands:
            if strand.shielded or not strand.has_begun:
                strand.must_hear = WorkflowCancelled(message)
            else:
                self.hub.throw(strand, WorkflowCancelled(message))
        for slot in [slot for slot in self.ledger.waiting if not slot.is_shielded]:
            if slot.key[0] == "call":
                self.ledger.settle(slot, error=cancelled(str(slot.key[1])))
            elif slot.key[0] == "timer":
                self.ledger.settle(slot, error=WorkflowError(message))
