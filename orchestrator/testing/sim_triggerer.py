"""SimTriggerer: triggers that take simulated time and end as a seed says. A crash takes all of them away."""

import hashlib
import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import msgspec

from orchestrator.core.orders import Completed, Failed, Fired, Skipped
from orchestrator.core.particulars import Failure
from orchestrator.core.waits import Came, Dropped, Ticket, Wait
from orchestrator.names import FailureKind
from orchestrator.ports import Clock


class Vigil(msgspec.Struct, frozen=True, kw_only=True):
    """What one trigger will do: after ``work`` seconds it ends as ``outcome``.

    Outcomes: event (then ``event`` is it), fail (the trigger does), success, failed, skipped (the task is), lost.
    """

    outcome: str = "event"
    work: float = 1.0
    event: bytes = b"true"


FIRES: Callable[[Wait], Vigil] = lambda _: Vigil()  # noqa: E731 - a default with a name

_OUTCOMES = ("event",) * 10 + ("fail", "success", "failed", "skipped", "lost", "lost")


def vigils(seed: int) -> Callable[[Wait], Vigil]:
    """Each trigger's end is drawn from the seed, its identity, and how often it was begun."""
    begun: Counter[Ticket] = Counter()

    def draw(wait: Wait) -> Vigil:
        begun[wait.ticket] += 1
        text = f"{seed}/{wait.dag_id}/{wait.run_id}/{wait.key.task_id}/{wait.key.map_index}/{begun[wait.ticket]}"
        dice = hashlib.sha256(text.encode()).digest()
        return Vigil(outcome=_OUTCOMES[dice[0] % len(_OUTCOMES)], work=dice[1] / 16, event=str(dice[2]).encode())

    return draw


class SimTriggerer:
    """``begun`` counts the triggers that were begun, by ticket. ``repeats`` says of the n-th event whether it is told
    once more at the next look; ``on_submit`` is called after each wait.
    """

    def __init__(
        self,
        clock: Clock,
        vigil: Callable[[Wait], Vigil] = FIRES,
        *,
        repeats: Callable[[int], bool] = lambda _: False,
    ) -> None:
        self._clock = clock
        self._vigil = vigil
        self._repeats = repeats
        self._waits: dict[Ticket, tuple[Wait, Vigil]] = {}
        self._heap: list[tuple[datetime, int, Ticket]] = []
        self._again: list[Fired | Dropped] = []
        self._said = 0
        self.begun: Counter[Ticket] = Counter()
        self.on_submit: Callable[[], None] = lambda: None

    @property
    def held(self) -> set[Ticket]:
        """What is waited for now."""
        return set(self._waits)

    def crash(self) -> None:
        """The process goes, with all that it waited for and had to say."""
        self._waits.clear()
        self._heap.clear()
        self._again.clear()

    # ── Triggerer ────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Nothing to start."""

    def submit(self, waits: Sequence[Wait]) -> None:
        for wait in waits:
            if wait.ticket in self._waits:
                continue
            self.begun[wait.ticket] += 1
            vigil = self._vigil(wait)
            self._waits[wait.ticket] = wait, vigil
            due = self._clock.now() + timedelta(seconds=vigil.work)
            heapq.heappush(self._heap, (due, self.begun.total(), wait.ticket))
            self.on_submit()

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        for ticket in tickets:
            self._waits.pop(ticket, None)

    def reports(self) -> list[Fired | Dropped]:
        said, self._again = self._again, []
        while self._heap and self._heap[0][0] <= self._clock.now():
            when, _, ticket = heapq.heappop(self._heap)
            wait, vigil = self._waits.pop(ticket, (None, None))
            if wait is None or vigil is None:
                continue
            said.append(_report(wait, vigil, when))
            self._said += 1
            if self._repeats(self._said):
                self._again.append(said[-1])
        return said

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        if self._again:
            return self._clock.now()
        while self._heap and self._heap[0][2] not in self._waits:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def stop(self) -> None:
        self.crash()


def _report(wait: Wait, vigil: Vigil, at: datetime) -> Fired | Dropped:
    key, seq = wait.key, wait.seq
    failure = Failure(message="the trigger has failed, in the simulation")
    match vigil.outcome:
        case "lost":
            return Dropped(ticket=wait.ticket)
        case "fail":
            return Fired(key=key, at=at, seq=seq, payload=Came(failure=failure).raw())
        case "success":
            return Fired(key=key, at=at, seq=seq, end=Completed(key=key, at=at))
        case "failed":
            end = Failed(key=key, at=at, kind=FailureKind.NON_RETRYABLE, failure=failure)
            return Fired(key=key, at=at, seq=seq, end=end)
        case "skipped":
            return Fired(key=key, at=at, seq=seq, end=Skipped(key=key, at=at))
        case _:
            return Fired(key=key, at=at, seq=seq, payload=Came(event=msgspec.Raw(vigil.event)).raw())
