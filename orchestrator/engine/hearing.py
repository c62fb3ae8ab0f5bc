"""Hearing: which facts of its run matter to the code of a workflow."""

from orchestrator.core.events import (
    ActivityDeferred,
    ActivityResumed,
    ActivityStarted,
    ActivityUpstreamFailed,
    Recorded,
    RunBlocked,
    RunEnded,
    RunPaused,
    RunReset,
    RunResumed,
    TaskExpanded,
)

_UNHEARD = frozenset(
    {
        ActivityDeferred,
        ActivityResumed,
        ActivityStarted,
        ActivityUpstreamFailed,
        RunBlocked,
        RunEnded,
        RunPaused,
        RunReset,
        RunResumed,
        TaskExpanded,
    }
)


def matters(fact: Recorded) -> bool:
    """Whether the code is told of it.

    Of attempts it hears when they were handed out, lost or are tried again: by that it tells an outcome that counts
    from one that came too late and is only evidence.
    """
    return type(fact.event) not in _UNHEARD
