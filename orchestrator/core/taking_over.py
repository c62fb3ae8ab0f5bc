"""What a fork can take over: the facts of a run up to a seq that count, and what had come to its end by then."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from orchestrator.core.board import Place
from orchestrator.core.callback_events import CALLBACK_EVENTS
from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityCleared,
    ActivityRequested,
    ActivityScheduled,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunCreated,
    RunMoved,
    RunReset,
    SignalReceived,
    TimerCancelled,
    TimerFired,
    UpdateReceived,
)
from orchestrator.core.runs import Plans, new_run, take_in
from orchestrator.exceptions import UsageError
from orchestrator.names import FINISHED, DagKind, TaskState

_ANSWERABLE = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.AWAITING_INPUT})
_OUTLIVES_A_RESET = (SignalReceived, UpdateReceived, RunMoved)
_ASKED = (ActivityRequested, ActivityCancelRequested)


class End(NamedTuple):
    """How an activity came to its end: the seqs of the fact that ended it, and of its last clear before (0: none);
    ``attempt`` is the number of its last attempt by then, ``was_open`` whether that was the one that ended it.
    ``told_of`` is the attempt that the ending fact speaks of (0: none): where it was open while it was cleared, and its
    effect committed, the facts that opened it stand before the clear.
    """

    seq: int
    cleared: int
    attempt: int
    was_open: bool
    told_of: int


class Past:
    """A run as it stood after ``until``. ``facts`` are those that count, with their own seqs; ``ends`` its activities
    that had ended, ``over`` the ids of timers and children that were not open any more.

    ``run`` is the state that these facts fold to. UsageError where the run has no such seq.
    """

    def __init__(self, facts: Sequence[Recorded], until: int, plans: Plans) -> None:
        _check(facts, until)
        self.facts = _without_outdated(counting(facts, until), _outdated(facts[:until], plans))
        self.until = facts[until - 1]
        self.run = new_run(0, plans(created_of(facts).version_id), self.facts[0])
        self.ends: dict[Place, End] = {}
        self.over: set[str] = set()
        self._cleared: dict[Place, int] = {}
        self._handed_out: set[tuple[Place, int]] = set()
        for number, fact in enumerate(self.facts[1:], 2):
            was_open = {place for place in places(fact.event) if self._state(place) in _ANSWERABLE}
            take_in(self.run, Recorded(number, fact.at, fact.event), plans, list)
            self._look(fact, was_open)

    def _state(self, place: Place) -> TaskState | None:
        node = self.run.nodes.get(place[0])
        activity = None if node is None else node.peek(place[1])
        return None if activity is None else activity.state

    def _look(self, fact: Recorded, was_open: Collection[Place]) -> None:
        event = fact.event
        if isinstance(event, ChildEnded):
            self.over.add(event.child_id)
        elif isinstance(event, TimerFired | TimerCancelled):
            self.over.add(event.timer_id)
        for place in places(event):
            if isinstance(event, ActivityScheduled):
                self._handed_out.add((place, event.attempt))
            if isinstance(event, ActivityCleared):
                self._cleared[place] = fact.seq
            told_of = attempt_of(event)
            self._note(place, fact.seq, told_of, was_open=place in was_open and told_of > 0)

    def _note(self, place: Place, seq: int, told_of: int, *, was_open: bool) -> None:
        if self._state(place) not in FINISHED:
            self.ends.pop(place, None)
        elif place not in self.ends:
            attempt = self.run.nodes[place[0]].activity(place[1]).attempt
            self.ends[place] = End(seq, self._cleared.get(place, 0), attempt, was_open, told_of)

    def keeps(self, fact: Recorded, place: Place) -> bool:
        """Whether what this fact says of that activity belongs to how it came to its end."""
        if isinstance(fact.event, _ASKED):
            return True
        attempt = attempt_of(fact.event)
        if attempt and (place, attempt) not in self._handed_out:  # evidence of what a reset has taken back
            return False
        end = self.ends.get(place)
        if end is None or (fact.seq <= end.cleared and not 0 < end.told_of == attempt):
            return False
        is_open = self.run.open.get(place, 0) == attempt_of(fact.event) != 0
        return not is_open  # as of one that was marked while it ran: that attempt belongs to the run that it is of


def places(event: AnyEvent) -> list[Place]:
    """The activities that an event speaks of."""
    if isinstance(event, CALLBACK_EVENTS):
        return []
    task_id, first = getattr(event, "task_id", None), getattr(event, "map_index", None)
    if task_id is None or first is None:
        return []
    return [(task_id, first + number) for number in range(getattr(event, "count", 1))]


def attempt_of(event: AnyEvent) -> int:
    """The number of the attempt that an event speaks of; 0 where it speaks of none."""
    return getattr(event, "attempt", 0)


def counting(facts: Sequence[Recorded], until: int) -> list[Recorded]:
    """The facts up to ``until`` that no reset has taken back, with their own seqs."""
    kept: list[Recorded] = []
    is_workflow = created_of(facts).kind is DagKind.WORKFLOW
    outlive = _OUTLIVES_A_RESET if is_workflow else (*_OUTLIVES_A_RESET, ChildEnded)  # code may start that child again
    for fact in facts[:until]:
        if not isinstance(fact.event, RunReset):
            kept.append(fact)
            continue
        since = fact.event.seq
        kept = counting(facts, since)
        started = {one.event.child_id for one in kept if isinstance(one.event, ChildStarted)}
        stays = (one for one in facts[since : fact.seq] if isinstance(one.event, outlive))
        kept += (one for one in stays if not isinstance(one.event, ChildEnded) or one.event.child_id in started)
    return kept


def _outdated(facts: Sequence[Recorded], plans: Plans) -> dict[Place, list[tuple[int, int]]]:
    """By activity the seqs of the resets that took back its attempts, and up to which number each did."""
    found: dict[Place, list[tuple[int, int]]] = {}
    if not any(isinstance(fact.event, RunReset) for fact in facts):
        return found
    run = new_run(0, plans(created_of(facts).version_id), facts[0])
    for fact in facts[1:]:
        take_in(run, fact, plans, lambda: facts)
        if isinstance(fact.event, RunReset):
            for task_id, node in run.nodes.items():
                for map_index, activity in node.activities():
                    if activity.outdated:
                        found.setdefault((task_id, map_index), []).append((fact.seq, activity.outdated))
    return found


def _without_outdated(facts: list[Recorded], outdated: Mapping[Place, list[tuple[int, int]]]) -> list[Recorded]:
    """Those that are not about an attempt that a reset had taken back: one may have been open, before and after."""

    def is_outdated(fact: Recorded) -> bool:
        marks = [mark for place in places(fact.event) for mark in outdated.get(place, ())]
        return any(fact.seq > since and 0 < attempt_of(fact.event) <= attempt for since, attempt in marks)

    return [fact for fact in facts if not is_outdated(fact)] if outdated else facts


def first_of(facts: Iterable[Recorded], task_id: str, map_index: int | None = None) -> int | None:
    """The seq of the first fact about a task, or about one of its activities; None where nothing is recorded of it."""
    for fact in facts:
        if getattr(fact.event, "task_id", None) == task_id and map_index in (None, *(i for _, i in places(fact.event))):
            return fact.seq
    return None


def _check(facts: Sequence[Recorded], until: int) -> None:
    if not 1 <= until <= len(facts):
        raise UsageError(f"the run has the facts 1 to {len(facts)}, and no {until}; choose one of them")


def created_of(facts: Sequence[Recorded]) -> RunCreated:
    """The first fact of a history."""
    created = facts[0].event
    assert isinstance(created, RunCreated)
    return created
