"""heartbeat and last_progress: a long body says that it is alive, and how far it has come."""

from typing import Any

from orchestrator.authoring.runtime import Runtime, current_runtime
from orchestrator.exceptions import UsageError


def heartbeat(progress: Any = None) -> None:
    """Say that the body is alive; ``progress``, a value as results are, is what a next attempt reads.

    With ``heartbeat_timeout=``, a body that says nothing for that long is ended, and tried again as after any time-out.
    None leaves the progress as it was. It may be called as often as one likes, from any thread of the body's process
    that has its context; of what comes too fast, the last is kept within a tenth of a second. Not every one is synced
    to the disk: a power cut may cost the last. ValueEncodingError for what no result can be either, BodyError for
    more than 64 KiB of JSON.
    """
    _runtime("heartbeat").heartbeat(progress)


def last_progress(default: Any = None) -> Any:
    """The progress that this attempt or one before it gave last; ``default`` where there is none."""
    found = _runtime("last_progress").last_progress()
    return default if found is None else found


def _runtime(name: str) -> Runtime:
    runtime = current_runtime()
    if runtime is None:
        raise UsageError(f"{name}() works only while a task or an activity runs; call it inside the body of one")
    return runtime
