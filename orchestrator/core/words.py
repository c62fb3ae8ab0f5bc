"""Words: what a history says last of each activity that failed, was lost, was skipped or asks a person, and of how the
run ended.
"""

from collections.abc import Iterable
from datetime import datetime

from orchestrator.core.callback_events import CallbackEnded
from orchestrator.core.callback_story import FailedCallback
from orchestrator.core.events import (
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivityResumed,
    ActivitySkipped,
    Recorded,
    RunEnded,
)
from orchestrator.core.forms import form_of
from orchestrator.core.particulars import Failure
from orchestrator.core.reasons import Word
from orchestrator.names import UNMAPPED, CallbackKind

RUN = ("", UNMAPPED)


class Words:
    """Hears a history fact by fact; ``places`` are the words by (task_id, map_index), those of its end under RUN.

    ``callbacks`` are the last callbacks that raised of each kind and task, and how many that were.
    """

    def __init__(self) -> None:
        self.places: dict[tuple[str, int], Word] = {}
        self.callbacks: dict[tuple[str, CallbackKind], FailedCallback] = {}

    def of(self, task_id: str, map_index: int) -> Word | None:
        """The last words about an activity."""
        return self.places.get((task_id, map_index))

    def hear(self, fact: Recorded) -> None:
        """Take in the next fact."""
        match fact.event:
            case ActivityFailed(task_id=task_id, map_index=map_index, failure=failure):
                self.places[task_id, map_index] = _of_failure(failure, fact.seq, fact.at)
            case ActivityLost(task_id=task_id, map_index=map_index, reason=reason):
                self.places[task_id, map_index] = Word(reason, None, fact.seq, fact.at)
            case ActivitySkipped(task_id=task_id, map_index=first, count=count, reason=reason):
                word = Word(reason, None, fact.seq, fact.at)
                self.places |= {(task_id, map_index): word for map_index in range(first, first + count)}
            case ActivityDeferred(task_id=task_id, map_index=map_index, trigger=trigger):
                if (form := form_of(trigger)) is not None:
                    self.places[task_id, map_index] = Word(form.subject, None, fact.seq, fact.at, form)
            case ActivityResumed(task_id=task_id, map_index=map_index):
                self.places.pop((task_id, map_index), None)
            case RunEnded(failure=Failure() as failure):
                self.places[RUN] = _of_failure(failure, fact.seq, fact.at)
            case RunEnded(reason=reason):
                self.places[RUN] = Word(reason, None, fact.seq, fact.at)
            case CallbackEnded(failure=Failure()):
                self._hear_callback(fact.event, fact.seq, fact.at)
            case _:
                return

    def _hear_callback(self, event: CallbackEnded, seq: int, at: datetime) -> None:
        before = self.callbacks.get((event.task_id, event.kind))
        self.callbacks[event.task_id, event.kind] = FailedCallback(event, seq, at, 1 + (before.count if before else 0))


def said(facts: Iterable[Recorded]) -> dict[tuple[str, int], Word]:
    """The words of a whole history, by (task_id, map_index)."""
    words = Words()
    for fact in facts:
        words.hear(fact)
    return words.places


def _of_failure(failure: Failure, seq: int, at: datetime) -> Word:
    return Word(failure.message, failure.where, seq, at)
