"""Course: how the code of one episode goes: its strands, what they are started by, and how it all ends."""

from collections import Counter
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any, TypeAlias

import msgspec
from greenlet import GreenletExit

from orchestrator.authoring.blue import Blue, Definition, replay_from_here, replaying
from orchestrator.core import values
from orchestrator.core.activations import AnswerUpdate, Block, Continue, Raise, Return, Standing, Wait
from orchestrator.core.events import RunCancelRequested, SignalReceived, UpdateReceived
from orchestrator.exceptions import (
    NotFoundError,
    QuarantineError,
    UsageError,
    ValueDecodingError,
    ValueEncodingError,
    WorkflowCancelled,
    WorkflowError,
)
from orchestrator.names import BlockKind
from orchestrator.replay.beginning import Renewal
from orchestrator.replay.foreign import NoLoop
from orchestrator.replay.hub import Hub
from orchestrator.replay.inbox import Inbox
from orchestrator.replay.ledger import Ledger
from orchestrator.replay.places import Places
from orchestrator.replay.strand import Evicted, Strand, awaited_on_stack, drive, raised_by_asyncio

Ending: TypeAlias = Return | Raise | Continue
_BLOCKS: dict[type[BaseException], BlockKind] = {
    ValueEncodingError: BlockKind.ENCODING,
    QuarantineError: BlockKind.QUARANTINE,
}


class Course:
    """``ending`` is how the code ended, ``renewal`` what it begins anew with, where it does; ``block`` why it cannot go
    on. ``door`` is what the code sees of all this.
    """

    door: Blue

    def __init__(self, definition: Definition, places: Places) -> None:
        self.ending: Ending | None = None
        self.renewal: Renewal | None = None
        self.block: Block | None = None
        self.is_cancelled = False
        self.places = places
        self.hub = Hub(NoLoop(self._foreign_loop))
        self.ledger = Ledger()
        self.inbox = Inbox(self._start_signal)
        self._definition = definition
        self._updates: dict[str, None] = {}
        self._handed: dict[Strand, tuple[str, Any]] = {}

    # ── strands ──────────────────────────────────────────────────────────────────────────────────────────

    def start(
        self,
        what: str,
        function: Callable[[], Any],
        ended: Callable[[Strand, Any, BaseException | None], None],
    ) -> Strand:
        """A strand of the code; ``ended`` is told what it came to, or its error."""

        def run(strand: Strand) -> None:
            try:
                replay_from_here(self.door)
                value = drive(function(), self._foreign, self.places.name)
            except (Evicted, GreenletExit):
                return
            except KeyboardInterrupt:  # somebody ends this process, and not the run
                raise
            except BaseException as error:
                if not self.hub.is_over:
                    ended(strand, None, error)
            else:
                if not self.hub.is_over:
                    ended(strand, value, None)

        return self.hub.add(what, run)

    def main(self, function: Callable[[], Any]) -> None:
        """The workflow itself."""
        self.start(self._definition.dag_id, function, self._main_ended)

    def _main_ended(self, _strand: Strand, value: Any, error: BaseException | None) -> None:
        if error is not None:
            self._failed(error)
            return
        try:
            data = values.encode(value)
        except ValueEncodingError as misfit:
            self.stop(BlockKind.ENCODING, f"what workflow {self._definition.dag_id!r} returns: {misfit}")
        else:
            self.end(Return(result=msgspec.Raw(data)))

    def _failed(self, error: BaseException) -> None:
        """An error that the author did not catch: it is the end of the run, or mended by its author."""
        failure = self.places.failure(error)
        if isinstance(error, RuntimeError) and (what := raised_by_asyncio(error)) is not None:
            self._foreign(what, failure.where)
            return
        kind = _BLOCKS.get(type(error))
        if kind is not None:
            where = failure.where or self.own_place()
            self.block = Block(kind=kind, message=failure.message, where=where, frames=failure.frames)
            self.hub.is_over = True
        else:
            self.end(Raise(failure=failure, cancelled=isinstance(error, WorkflowCancelled)))

    def end(self, ending: Ending) -> None:
        """The code has ended; updates that it has not answered are refused."""
        for update_id in tuple(self._updates):
            self._refuse(update_id)
        self.ending = ending
        self.hub.is_over = True

    def spawn(self, what: str, function: Callable[[], Any]) -> Strand:
        """A strand that the code starts, and waits for by its future."""
        return self.start(what, function, self._spawned_ended)

    def _spawned_ended(self, strand: Strand, value: Any, error: BaseException | None) -> None:
        if isinstance(error, WorkflowCancelled) and not self.is_cancelled:
            error = WorkflowError(str(error))
        strand.future.settle(value, error)

    def receive(self, event: SignalReceived) -> None:
        """Hand a signal to its function, or keep it until it is taken."""
        try:
            payload = values.decode(event.payload)
        except ValueDecodingError as error:
            self.stop(BlockKind.ENCODING, f"signal {event.name!r} carries what cannot be read: {error}")
        else:
            self.inbox.receive(event.name, payload)

    def carry(self, event: SignalReceived | UpdateReceived | RunCancelRequested) -> None:
        """It comes when the code has ended: whoever begins anew hears it then, if it can be read."""
        if self.renewal is None:
            if isinstance(event, UpdateReceived) and self.ending is not None:
                self._refuse(event.update_id)
            return
        if isinstance(event, RunCancelRequested) and self.is_cancelled:
            return
        if isinstance(event, RunCancelRequested) or self._is_readable(event):
            self.renewal.take(event)
        elif isinstance(event, SignalReceived):
            self.receive(event)
        else:
            self.start_update(event)

    def _is_readable(self, event: SignalReceived | UpdateReceived) -> bool:
        try:
            values.decode(event.payload)
        except ValueDecodingError:
            return False
        return True

    def _start_signal(self, name: str, function: Callable[..., Any], payload: Any) -> None:
        def ended(strand: Strand, _value: Any, error: BaseException | None) -> None:
            del self._handed[strand]
            if isinstance(error, UsageError):
                self.stop(BlockKind.ENCODING, f"signal {name!r} does not fit what takes it: {error}")
            elif error is not None and not (isinstance(error, WorkflowCancelled) and self.is_cancelled):
                self._failed(error)

        self._handed[self.start(f"signal {name}", lambda: function(payload), ended)] = name, payload

    def untaken(self) -> Iterator[tuple[str, Any]]:
        """The signals that nobody has taken: those that wait for it, and those whose function has not begun."""
        yield from self.inbox.untaken()
        yield from (signal for strand, signal in self._handed.items() if not strand.has_begun)

    def start_update(self, event: UpdateReceived) -> None:
        """Check an update, carry it out and answer it; or refuse it."""
        self._updates[event.update_id] = None
        try:
            function, validator = self.inbox.answering("update", event.name)
            payload = values.decode(event.payload)
        except (NotFoundError, ValueDecodingError) as error:
            self._answer(event.update_id, None, error)
            return

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

        self.start(f"update {event.name}", answer, ended)

    def _refuse(self, update_id: str) -> None:
        refusal = UsageError("the workflow ended before it had answered this update; look at the run's end for why")
        self._answer(update_id, None, refusal)

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
        function = self.inbox.answering("query", name).function

        def refuse(what: str, _where: str | None) -> BaseException:
            return UsageError(f"query {name!r} awaits {what}; a query only reads")

        with replaying(self.door), self.hub.only_reading(f"query {name!r}"), self.hub.in_code():
            return drive(function(args), refuse, self.places.name)

    def standing(self) -> Standing:
        """What each strand waits for, and the signals that none of them has taken."""
        waits = tuple(
            Wait(
                strand=strand.what,
                what=tuple(future.what for future in strand.waits_for),
                condition=f"signal {signal!r}" if signal else "a condition" if looks else None,
                signal=signal,
                where=self.places.on_stack(strand.frame).where,
            )
            for strand, looks, signal in self.hub.waiting()
        )
        return Standing(waits=waits, untaken=Counter(name for name, _ in self.inbox.untaken()))

    def own_place(self) -> str | None:
        """Where the workflow is defined."""
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
