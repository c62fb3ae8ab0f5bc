"""What is told of callbacks: those that raised, and those that are still to be called."""

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime

import msgspec

from orchestrator.core.callback_events import CallbackEnded
from orchestrator.core.reasons import Cause, Reason, named
from orchestrator.core.run import Run
from orchestrator.names import UNMAPPED


class FailedCallback(msgspec.Struct, frozen=True):
    """The last callbacks of a kind and task that raised, recorded at ``seq``, and how many there were."""

    event: CallbackEnded
    seq: int
    at: datetime
    count: int


def callback_reasons(run: Run, task_id: str | None, failed: Iterable[FailedCallback]) -> Iterator[Reason]:
    """Of the run and all of its tasks, or of one task."""
    for one in failed:
        if task_id in (None, one.event.task_id):
            yield _raised(one)
    waiting = Counter((key.callback, key.task_id) for key in run.callbacks if task_id in (None, key.task_id))
    for (kind, name), count in waiting.items():
        verb = "is being called, or waits" if count == 1 else f"is being called, or waits, {count} times"
        sentence = f"{name or 'the run'}'s {kind}_callback {verb} for a worker"
        yield Reason(cause=Cause.CALLBACK, sentence=sentence, task_id=name or None)


def _raised(one: FailedCallback) -> Reason:
    event, failure = one.event, one.event.failure
    assert failure is not None
    whose = named(event.task_id, event.map_index) if event.task_id else "the run"
    after = f" after attempt {event.attempt}" if event.task_id else ""
    alike = f" ({one.count} times; this was the last)" if one.count > 1 else ""
    return Reason(
        cause=Cause.CALLBACK,
        sentence=f"{whose}'s {event.kind}_callback failed{after}{alike}, which changes no state: {failure.message}",
        task_id=event.task_id or None,
        map_index=event.map_index if event.task_id else UNMAPPED,
        since=one.at,
        seq=one.seq,
        where=failure.where,
        frames=failure.frames,
    )
