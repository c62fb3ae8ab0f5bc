"""What is recorded of callbacks: that one was handed out, that nobody will report on it, that it has ended."""

from orchestrator.core.event import Event
from orchestrator.core.particulars import Failure
from orchestrator.names import UNMAPPED, CallbackKind


class CallbackScheduled(Event, frozen=True, kw_only=True, omit_defaults=True):
    """The callbacks of that kind are handed out: of the task's attempt, or of the run where ``task_id`` is empty.

    ``attempt`` is the one whose outcome calls for them; of a run, which of its ends does, counted from 1.
    """

    kind: CallbackKind
    task_id: str = ""
    map_index: int = UNMAPPED
    count: int = 1
    attempt: int = 1


class CallbackLost(Event, frozen=True, kw_only=True, omit_defaults=True):
    """Nobody will report on them, and they are handed out again; ``free`` as in ActivityLost."""

    kind: CallbackKind
    task_id: str = ""
    map_index: int = UNMAPPED
    attempt: int = 1
    reason: str
    free: bool = False


class CallbackEnded(Event, frozen=True, kw_only=True, omit_defaults=True):
    """They have been called, and are not called again; ``failure`` is of the first that raised, if one did."""

    kind: CallbackKind
    task_id: str = ""
    map_index: int = UNMAPPED
    attempt: int = 1
    failure: Failure | None = None


CALLBACK_EVENTS = (CallbackScheduled, CallbackLost, CallbackEnded)
