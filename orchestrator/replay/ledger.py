"""Ledger: what the code asks for against what is recorded of that. Whichever of the two comes second claims the other.

A key names what is asked for: of a call its activity and digest, of which there may be many, which are matched first
come first served; of everything else an id of its own.
"""

from collections import deque
from collections.abc import Hashable, Iterator
from types import CodeType
from typing import Any, TypeAlias

from orchestrator.authoring.blue import Future
from orchestrator.core.activations import RecordValue, WorkflowCommand
from orchestrator.core.events import Recorded, UpdateAnswered, ValueRecorded

Key: TypeAlias = tuple[Hashable, ...]
Place: TypeAlias = tuple[CodeType, int] | None


class Slot:
    """One thing: asked for (``command``), on record (``fact``), or both; and what came of it, if that is to be heard.

    ``also`` goes with the command, and has no record of its own. ``scheduled`` is the latest attempt of a call,
    ``over`` the latest of those whose outcome counts no more, ``outdated`` the latest before it was cleared.
    """

    __slots__ = (
        "also",
        "command",
        "fact",
        "future",
        "is_asked",
        "is_given_up",
        "is_shielded",
        "key",
        "outcome",
        "outdated",
        "over",
        "place",
        "scheduled",
    )

    def __init__(self, key: Key) -> None:
        self.key = key
        self.is_asked = False
        self.is_shielded = False
        self.is_given_up = False
        self.command: WorkflowCommand | None = None
        self.also: WorkflowCommand | None = None
        self.future: Future[Any] | None = None
        self.place: Place = None
        self.fact: Recorded | None = None
        self.outcome: Recorded | None = None
        self.scheduled = 0
        self.over = 0
        self.outdated = 0


class Lines:
    """Slots that wait to be claimed, in a line for each key. A line of one, as nearly all are, is the slot itself."""

    def __init__(self) -> None:
        self._lines: dict[Key, Slot | deque[Slot]] = {}

    def __contains__(self, key: Key) -> bool:
        return key in self._lines

    def __iter__(self) -> Iterator[Slot]:
        return (slot for line in self._lines.values() for slot in ((line,) if isinstance(line, Slot) else line))

    def __len__(self) -> int:
        return len(self._lines)

    def put(self, slot: Slot) -> None:
        """To the end of its line."""
        line = self._lines.get(slot.key)
        if line is None:
            self._lines[slot.key] = slot
        elif isinstance(line, Slot):
            self._lines[slot.key] = deque((line, slot))
        else:
            line.append(slot)

    def first(self, key: Key) -> Slot:
        """The first in a line, which stays there."""
        line = self._lines[key]
        return line if isinstance(line, Slot) else line[0]

    def take(self, key: Key) -> Slot | None:
        """The first in a line, if anybody is there."""
        line = self._lines.get(key)
        if line is None or isinstance(line, Slot):
            self._lines.pop(key, None)
            return line
        slot = line.popleft()
        if not line:
            del self._lines[key]
        return slot


class Ledger:
    """``open`` holds what something is yet to come of, by what facts call it; ``waiting`` is what the code knows of
    that. ``heard_at`` is the seq of the last fact that was news to the code.
    """

    def __init__(self) -> None:
        self.open: dict[Key, Slot] = {}
        self.waiting: dict[Slot, None] = {}
        self.heard_at = 0
        self.is_all_told = False
        self._pending = Lines()
        self._unclaimed = Lines()
        self._refusals = Lines()  # of updates; the end of a run gives them too, without its code
        self._unsent: dict[Slot, None] = {}

    # ── asking and recording ─────────────────────────────────────────────────────────────────────────────

    def ask(self, key: Key, command: WorkflowCommand, future: Future[Any] | None = None, place: Place = None) -> Slot:
        """The code asks for this: the first record of it that nobody has claimed, or one that is to come."""
        slot = self._unclaimed.take(key) or self._refusals.take(key)
        if slot is None:
            slot = Slot(key)
            slot.command = command
            self._pending.put(slot)
            self._unsent[slot] = None
        slot.is_asked, slot.future, slot.place = True, future, place
        if future is not None:
            self.waiting[slot] = None
        return slot

    def settle(self, slot: Slot, value: Any = None, error: BaseException | None = None) -> None:
        """This came of it, or will never come."""
        if slot in self.waiting:
            del self.waiting[slot]
            assert slot.future is not None
            slot.future.settle(value, error)

    def record(self, key: Key, fact: Recorded) -> Slot:
        """This is recorded: of the first that was asked for without a record, or of one that is to be asked for."""
        slot = self._pending.take(key) if self._fits(key, fact) else None
        if slot is None:
            slot = Slot(key)
            (self._refusals if _is_refusal(fact) else self._unclaimed).put(slot)
        else:
            self._unsent.pop(slot, None)
        slot.fact, slot.command, slot.also = fact, None, None
        return slot

    def _fits(self, key: Key, fact: Recorded) -> bool:
        """Not a value of which the code has made another, as it was asked for sooner than it is recorded."""
        if not isinstance(fact.event, ValueRecorded) or key not in self._pending:
            return True
        asked = self._pending.first(key).command
        return not isinstance(asked, RecordValue) or bytes(asked.value) == bytes(fact.event.value)

    def withdraw(self, key: Key) -> None:
        """The code asked for this, and it makes no difference any more, recorded or not."""
        slot = self._pending.take(key)
        if slot is not None:
            self._unsent.pop(slot, None)

    def claim(self, key: Key) -> Slot | None:
        """The first record of that key that nobody has claimed."""
        return self._unclaimed.take(key)

    # ── looking ahead ────────────────────────────────────────────────────────────────────────────────────

    def is_known(self, key: Key) -> bool:
        """Whether it can be said that there is a record of this, or that there is none where the code stands now.

        What the code asked for in one go stands in the history in one go. So if it is not with the first that nobody
        has claimed, it was not asked for there.
        """
        if self.is_all_told or key in self._unclaimed:
            return True
        first = self.first_unclaimed()
        return first is not None and first.fact is not None and first.fact.seq < self.heard_at

    def first_unclaimed(self) -> Slot | None:
        """The earliest record that the code has not asked for."""
        return min(self._unclaimed, key=_seq, default=None)

    def pending(self) -> Iterator[Slot]:
        """What the code has asked for without a record, in the order of asking for each key."""
        return iter(self._pending)

    @property
    def unsent(self) -> int:
        """How much is asked for and was not sent yet."""
        return len(self._unsent)

    # ── sending ──────────────────────────────────────────────────────────────────────────────────────────

    def send(self) -> list[WorkflowCommand]:
        """What is asked for and was not sent yet, in the order of asking; once."""
        both = ((slot.command, slot.also) for slot in self._unsent)
        sent = [command for pair in both for command in pair if command is not None]
        self._unsent.clear()
        return sent


def _seq(slot: Slot) -> int:
    return 0 if slot.fact is None else slot.fact.seq


def _is_refusal(fact: Recorded) -> bool:
    return isinstance(fact.event, UpdateAnswered) and fact.event.failure is not None
