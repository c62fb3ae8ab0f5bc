"""Episode: the code of a run from where it begins, or begins anew, to where it ends: facts in, commands out."""

from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

import msgspec
from greenlet import GreenletExit

from orchestrator.authoring.blue import Definition, RunView, replaying
from orchestrator.core import values
from orchestrator.core.activations import AnswerUpdate, Block, Continue, Raise, Return
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
    NotFoundError,
    QuarantineError,
    UsageError,
    ValueEncodingError,
    WorkflowCancelled,
    WorkflowError,
)
from orchestrator.names import BlockKind, Delivery
from orchestrator.replay.asker import Asker
from orchestrator.replay.beginning import Beginning
from orchestrator.replay.foreign import NoLoop
from orchestrator.replay.hub import Hub
from orchestrator.replay.inbox import Inbox, payload_of
from orchestrator.replay.ledger import Ledger, Slot
from orchestrator.replay.outcomes import ActivityEvent, Load, cancelled, counts, of_call, of_child
from orchestrator.replay.places import Places
from orchestrator.replay.records import key_of
from orchestrator.replay.strand import Evicted, Strand, awaited_on_stack, drive

Ending: TypeAlias = Return | Raise | Continue
_BLOCKS: dict[type[BaseException], BlockKind] = {
    ValueEncodingError: BlockKind.ENCODING,
    QuarantineError: BlockKind.QUARANTINE,
}
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
    """``ending`` is how the code ended, ``block`` why it cannot go on, ``ended`` the recorded end of the run."""

    def __init__(
        self,
        beginning: Beginning,
        definition: Definition,
        places: Places,
        load: Load,
        view: Callable[[int], RunView],
    ) -> None:
        self.ending: Ending | None = None
        self.block: Block | None = None
        self.ended: Recorded | None = None
        self.is_ending_said = False
        self.beginning = beginning
        self.places = places
        self.hub = Hub(NoLoop(self._foreign_loop))
        self.ledger = Ledger()
        self._definition = definition
        self._load = load
        self._news: deque[Recorded] = deque()
        self._updates: dict[str, None] = {}
        self._cancelled = False
        self._inbox = Inbox(self._start_signal)
        self._asker = Asker(
            beginning,
            definition,
            self.hub,
            self.ledger,
            self._inbox,
            places,
            view=view,
            spawn=self._spawn,
            continued=self._end,
            heard=self._heard,
        )
        for name, payload in beginning.signals:
            self._inbox.receive(name, payload)
        self._start(definition.dag_id, lambda: definition.begin(beginning.given), self._main_ended)

    # ── facts in ─────────────────────────────────────────────────────────────────────────────────────────

    def take(self, fact: Recorded) -> None:
        """The next fact."""
        self.ledger.is_all_told = False
        key = key_of(fact.event)
        if key is not None:
            slot = self.ledger.record(key, fact)
            self._recorded(slot, fact)
        if self.hub.is_over:
            self.ended = fact if isinstance(fact.event, RunEnded) else self.ended
            return
        if isinstance(fact.event, _NEWS):
            self._news.append(fact)
            if type(fact.event) not in _SILENT:
                self.ledger.heard_at = fact.seq
        self.go_on()

    def all_told(self) -> None:
        """There are no more facts: whoever looks ahead knows all there is."""
        self.ledger.is_all_told = True
        self.go_on()

    def go_on(self) -> None:
        """Let the code take in what it has been told, one fact at a time, until it can go no further."""
        while self.hub.run() and self._news and not self.hub.is_over:
            self._deliver(self._news.popleft())

    def _recorded(self, slot: Slot, fact: Recorded) -> None:
        """A fact that the code asks for is on record: from here on facts can say what came of it."""
        event = fact.event
        if isinstance(event, ActivityRequested):
            self.ledger.open["call", event.task_id, event.map_index] = slot
            if slot.is_asked and slot not in self.ledger.waiting and not self._cancelled:
                self._asker.end_call(slot)
        elif isinstance(event, TimerSet | ChildStarted) and not slot.is_asked:
            self.ledger.open[slot.key] = slot
        elif isinstance(event, ValueRecorded) and event.sent:
            self.ledger.open[slot.key] = slot
            self._news.append(fact)

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
            self._inbox.receive(event.name, payload_of(event))
        elif isinstance(event, UpdateReceived):
            self._at(fact)
            self._start_update(event)
        elif isinstance(event, RunCancelRequested):
            if not self._cancelled:
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
        self._cancelled = True
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

    # ── strands ──────────────────────────────────────────────────────────────────────────────────────────

    def _start(
        self,
        what: str,
        function: Callable[[], Any],
        ended: Callable[[Strand, Any, BaseException | None], None],
    ) -> Strand:
        def run(strand: Strand) -> None:
            with replaying(self._asker):
                try:
                    value = drive(function(), self._foreign, self.places.name)
                except (Evicted, GreenletExit):
                    return
                except BaseException as error:
                    if not self.hub.is_over:
                        ended(strand, None, error)
                else:
                    if not self.hub.is_over:
                        ended(strand, value, None)

        return self.hub.add(what, run)

    def _main_ended(self, _strand: Strand, value: Any, error: BaseException | None) -> None:
        if error is not None:
            self._failed(error)
            return
        try:
            data = values.encode(value)
        except ValueEncodingError as misfit:
            self.stop(BlockKind.ENCODING, f"what workflow {self._definition.dag_id!r} returns: {misfit}")
        else:
            self._end(Return(result=msgspec.Raw(data)))

    def _failed(self, error: BaseException) -> None:
        """An error that the author did not catch: it is the end of the run, or mended by its author."""
        failure = self.places.failure(error)
        kind = _BLOCKS.get(type(error))
        if kind is not None:
            where = failure.where or self.own_place()
            self.block = Block(kind=kind, message=failure.message, where=where, frames=failure.frames)
            self.hub.is_over = True
        else:
            self._end(Raise(failure=failure, cancelled=isinstance(error, WorkflowCancelled)))

    def _end(self, ending: Ending) -> None:
        for update_id in tuple(self._updates):
            refusal = UsageError("the workflow ended before it had answered this update; look at the run's end for why")
            self._answer(update_id, None, refusal)
        self.ending = ending
        self.hub.is_over = True

    def _spawn(self, what: str, function: Callable[[], Any]) -> Strand:
        return self._start(what, function, self._spawned_ended)

    def _spawned_ended(self, strand: Strand, value: Any, error: BaseException | None) -> None:
        if isinstance(error, WorkflowCancelled) and not self._cancelled:
            error = WorkflowError(str(error))
        strand.future.settle(value, error)

    def _start_signal(self, name: str, function: Callable[..., Any], payload: Any) -> None:
        def ended(_strand: Strand, _value: Any, error: BaseException | None) -> None:
            if isinstance(error, UsageError):
                self.stop(BlockKind.ENCODING, f"signal {name!r} does not fit what takes it: {error}")
            elif error is not None and not (isinstance(error, WorkflowCancelled) and self._cancelled):
                self._failed(error)

        self._start(f"signal {name}", lambda: function(payload), ended)

    def _start_update(self, event: UpdateReceived) -> None:
        self._updates[event.update_id] = None
        try:
            function, validator = self._inbox.answering("update", event.name)
        except NotFoundError as error:
            self._answer(event.update_id, None, error)
            return
        payload = payload_of(event)

        def ended(_strand: Strand, value: Any, error: BaseException | None) -> None:
            if type(error) in _BLOCKS and error is not None:
                self._failed(error)
            else:
                self._answer(event.update_id, value, error)

        def answer() -> Any:
            if validator is not None:
                with self.hub.only_reading("the validator of an update"):
                    validator(payload)
            return function(payload)

        self._start(f"update {event.name}", answer, ended)

    def _answer(self, update_id: str, value: Any, error: BaseException | None) -> None:
        self._updates.pop(update_id, None)
        if error is None:
            try:
                answer = AnswerUpdate(update_id=update_id, result=msgspec.Raw(values.encode(value)))
            except ValueEncodingError as misfit:
                self.stop(BlockKind.ENCODING, f"an update is answered with what cannot be recorded: {misfit}")
                return
        else:
            answer = AnswerUpdate(update_id=update_id, failure=self.places.failure(error))
        self.ledger.ask(("answer", update_id), answer)

    # ── what ends it without its doing ───────────────────────────────────────────────────────────────────

    def stop(self, kind: BlockKind, message: str, where: str | None = None, frames: tuple[str, ...] = ()) -> None:
        """The code cannot go on."""
        if self.block is None:
            self.block = Block(kind=kind, message=message, where=where or self.own_place(), frames=frames)
        self.hub.is_over = True

    def interrupt(self, limit: float, frame: FrameType | None) -> None:
        """The code has not come to rest for ``limit`` seconds, and is at ``frame``: end it there."""
        if not self.hub.is_in_code:
            return
        where, frames = self.places.on_stack(frame)
        what = f"for {limit:g} s the code has computed without waiting for anything"
        if self.hub.current is None and self.hub.reading is not None:
            raise UsageError(f"{where}: {what}, in {self.hub.reading}; make it shorter")
        place = f"{where}: " if where else ""
        self.stop(
            BlockKind.STUCK,
            f"{place}{what}; move long work into an activity, and let a loop wait for something",
            where,
            frames,
        )
        if self.hub.current is not None:
            raise Evicted

    def query(self, name: str, args: Any) -> Any:
        """What the code answers, from where it stands."""
        function = self._inbox.answering("query", name).function

        def refuse(what: str, _where: str | None) -> BaseException:
            return UsageError(f"query {name!r} awaits {what}; a query only reads")

        with replaying(self._asker), self.hub.only_reading(f"query {name!r}"), self.hub.in_code():
            return drive(function(args), refuse, self.places.name)

    def own_place(self) -> str | None:
        definition = self._definition
        return f"{definition.file}:{definition.line}" if definition.file else None

    def _foreign(self, what: str, where: str | None) -> BaseException:
        place = f"{where}: " if where else ""
        self.stop(
            BlockKind.FOREIGN,
            f"{place}the code awaits {what}, which cannot be replayed; await what orchestrator.workflow gives "
            f"(sleep, activities, gather, …), and do everything else in an activity",
            where,
        )
        return Evicted()

    def _foreign_loop(self, frame: FrameType) -> BaseException:
        what, where = awaited_on_stack(frame, self.places.name)
        if self.hub.reading is not None:
            return UsageError(f"{self.hub.reading} awaits {what}; it only reads")
        return self._foreign(what, where)
