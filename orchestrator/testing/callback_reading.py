"""Which callbacks a history calls for, read with a pencil, apart from the engine's own code."""

from collections import Counter
from collections.abc import Sequence
from typing import TypeAlias

from orchestrator.core.callback_events import CallbackEnded, CallbackScheduled
from orchestrator.core.events import Recorded
from orchestrator.names import CallbackKind

Call: TypeAlias = tuple[str, str, int, int]


class CallbackReading:
    """Notes what is called for, by kind, task, map index and attempt; then holds the facts about callbacks to it."""

    def __init__(self) -> None:
        self._calls: Counter[Call] = Counter()

    def note(self, kinds: Sequence[CallbackKind], kind: CallbackKind, task_id: str, index: int, attempt: int) -> None:
        """An outcome calls for that kind, if it is among those that there are."""
        if kind in kinds:
            self._calls[kind, task_id, index, attempt] += 1

    def check(self, facts: Sequence[Recorded]) -> None:
        """Each was called for once, was handed out, and has ended once; nothing else was called."""
        ended: Counter[Call] = Counter()
        handed_out: set[Call] = set()
        for event in (fact.event for fact in facts):
            if isinstance(event, CallbackScheduled):
                handed_out.add((event.kind, event.task_id, event.map_index, event.attempt))
            elif isinstance(event, CallbackEnded):
                call = (event.kind, event.task_id, event.map_index, event.attempt)
                assert call in handed_out, f"{call} has ended and was never handed out"
                ended[call] += 1
        assert ended == self._calls, f"these callbacks have ended: {ended}; these were called for: {self._calls}"
        assert all(count == 1 for count in ended.values()), f"callbacks were recorded more than once: {ended}"
