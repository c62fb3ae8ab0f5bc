"""Which facts stand for something that a workflow's code asked for, and under which key."""

from collections.abc import Callable
from typing import Any

from orchestrator.core.events import (
    ActivityCancelRequested,
    ActivityRequested,
    AnyEvent,
    ChildStarted,
    TimerCancelled,
    TimerSet,
    UpdateAnswered,
    ValueRecorded,
    VersionMarker,
)
from orchestrator.replay.ledger import Key

_KEYS: dict[type, Callable[[Any], Key]] = {
    ActivityRequested: lambda event: ("call", event.task_id, event.digest),
    ActivityCancelRequested: lambda event: ("cancel", event.task_id, event.map_index),
    TimerSet: lambda event: ("timer", event.timer_id),
    TimerCancelled: lambda event: ("cancel", event.timer_id),
    ChildStarted: lambda event: ("child", event.child_id),
    ValueRecorded: lambda event: ("value", event.name),
    VersionMarker: lambda event: ("marker", event.name),
    UpdateAnswered: lambda event: ("answer", event.update_id),
}


def key_of(event: AnyEvent) -> Key | None:
    """What the code asked for, of which this fact is the record; None where nobody asked."""
    key = _KEYS.get(type(event))
    return None if key is None else key(event)
