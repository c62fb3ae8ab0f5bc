"""Calling: which callbacks the facts of a run call for."""

from typing import Any

from orchestrator.core.activity import Node
from orchestrator.core.callbacks import Callbacks
from orchestrator.core.events import RunCreated
from orchestrator.core.parenthood import ParentalBoard
from orchestrator.names import AttemptKey, CallbackKind, RunState

LATE_REPORT = "late report"
ENGINE = frozenset({"dagrun_timeout", "fail_fast"})


class CallingBoard(ParentalBoard):
    """A board of which what executors report may call for callbacks, and how the run ends.

    What a person says calls for none, as in Airflow: a mark, an answer, a cancellation. ``cancelled_by`` is who asked
    for that; ``ends`` counts how often the run has come to its end.
    """

    created: RunCreated
    seq: int

    def __init__(self, *laid_out: Any) -> None:
        super().__init__(*laid_out)
        self.callbacks = Callbacks()
        self.cancelled_by = ""
        self.ends = 0

    def _call(self, node: Node, kind: CallbackKind, map_index: int, attempt: int) -> None:
        task = node.task
        if task.callbacks and kind in task.callbacks and self._calls_back:
            self.callbacks.call(AttemptKey(self.run_key, task.task_id, map_index, attempt, kind), self.seq)

    def _call_at_end(self, state: RunState) -> None:
        self.ends += 1
        kind = CallbackKind.SUCCESS if state is RunState.SUCCESS else CallbackKind.FAILURE
        by_hand = self.cancelling is not None and self.cancelled_by not in ENGINE
        if kind in self.plan.spec.callbacks and self._calls_back and not by_hand:
            self.callbacks.call(AttemptKey(self.run_key, "", -1, self.ends, kind), self.seq)

    @property
    def _calls_back(self) -> bool:
        """Whether what is recorded is news: not taken over from another run, nor written in another home."""
        return not self.created.imported and self.seq > self.created.taken + 1
