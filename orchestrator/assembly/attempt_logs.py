"""Where the log of a try lies, and that of a callback: told by the facts that opened them."""

from typing import NamedTuple

from orchestrator.assembly.home import Home
from orchestrator.core.callback_events import CallbackScheduled
from orchestrator.core.events import ActivityScheduled, AnyEvent
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED
from orchestrator.storage.facts import told
from orchestrator.storage.views import ActivityRow, RunRow

_MOST = 100_000


class LogPlace(NamedTuple):
    """A log, as RunLogs finds it; ``seq`` 0 is what a workflow's code wrote."""

    run_key: int
    seq: int = 0
    map_index: int = UNMAPPED


def logs_of_try(home: Home, run: RunRow, activity: ActivityRow, attempt: int | None = None) -> list[LogPlace]:
    """Of the last try, or of that: several, one after the other, if it was put off or deferred in between.

    NotFoundError where there is no such try.
    """
    if activity.attempt == 0:
        raise NotFoundError(f"task {activity.task_id!r} has not run yet: it is {activity.state}, so it has no log")
    place = run.run_key, activity.task_id, activity.map_index
    facts = home.reads.facts_about(*place, types=(ActivityScheduled.__name__,), limit=_MOST)
    opened = [fact.seq for fact in map(told, facts) if _opens(fact.event, activity, attempt or activity.attempt)]
    if not opened and attempt in (None, activity.attempt):
        opened = [activity.scheduled_seq]
    if not opened:
        raise no_such_try(activity, attempt)
    return [LogPlace(run.run_key, seq, activity.map_index) for seq in opened]


def no_such_try(activity: ActivityRow, attempt: int | None) -> NotFoundError:
    """What is said of a try that an activity has not had."""
    tries = "1 try" if activity.attempt == 1 else f"{activity.attempt} tries"
    return NotFoundError(f"task {activity.task_id!r} has had {tries}; there is no try {attempt}")


def log_of_callback(
    home: Home,
    run: RunRow,
    kind: str,
    *,
    task_id: str = "",
    map_index: int = UNMAPPED,
    attempt: int | None = None,
) -> LogPlace:
    """Of the callbacks of a task, or of the run, when they were called last; NotFoundError if never."""
    for fact in reversed(home.reads.facts_of(run.run_key, [CallbackScheduled], until=run.last_seq)):
        event = fact.event
        assert isinstance(event, CallbackScheduled)
        is_there = event.map_index <= map_index < event.map_index + event.count
        if (event.kind, event.task_id) == (kind, task_id) and is_there and attempt in (None, event.attempt):
            return LogPlace(run.run_key, fact.seq, map_index)
    whose = f"of task {task_id!r}" if task_id else "of the DAG"
    after = "" if attempt is None else f" after attempt {attempt}"
    raise NotFoundError(f"no {kind}_callback {whose} was called in run {run.run_id!r}{after}")


def _opens(event: AnyEvent, activity: ActivityRow, attempt: int) -> bool:
    """Whether this fact is where that try of the activity began, or went on."""
    if not isinstance(event, ActivityScheduled) or (event.task_id, event.attempt) != (activity.task_id, attempt):
        return False
    return event.map_index <= activity.map_index < event.map_index + event.count
