"""Reasons: what a story is made of, and the numbers that it is told with."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from orchestrator.core.forms import Form
from orchestrator.names import UNMAPPED


class Cause(StrEnum):
    """What kind of reason it is."""

    RUN_QUEUED = "run_queued"
    RUN_PAUSED = "run_paused"
    RUN_CANCELLED = "run_cancelled"
    NO_SCHEDULER = "no_scheduler"
    UPSTREAM = "upstream"
    PAST = "past"
    NO_ROOM = "no_room"
    NO_WORKER = "no_worker"
    READY = "ready"
    RUNNING = "running"
    RESTARTING = "restarting"
    RETRY = "retry"
    RESCHEDULED = "rescheduled"
    DEFERRED = "deferred"
    OUTCOME_UNKNOWN = "outcome_unknown"
    INPUT = "input"
    SUCCESS = "success"
    FAILED = "failed"
    UPSTREAM_FAILED = "upstream_failed"
    SKIPPED = "skipped"
    REMOVED = "removed"
    BLOCKED = "blocked"
    TIMER = "timer"
    CHILD = "child"
    SIGNAL = "signal"
    CONDITION = "condition"
    CODE = "code"
    UPDATE = "update"
    IMPORTED = "imported"
    CALLBACK = "callback"
    SLOWEST = "slowest"
    MORE = "more"


class Reason(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One reason as a sentence, and what it is about: a task at a map_index, or the run where task_id is None.

    ``since``: from when on it holds. ``seq``: the fact that says so, 0 where none does. ``where``: the author's
    file:line; ``frames``: the lines that led there, as Python prints them. ``chain``: the tasks that lead from what was
    asked about to this one, both among them.
    """

    cause: Cause
    sentence: str
    task_id: str | None = None
    map_index: int = UNMAPPED
    since: datetime | None = None
    seq: int = 0
    where: str | None = None
    frames: tuple[str, ...] = ()
    chain: tuple[str, ...] = ()


class Word(msgspec.Struct, frozen=True):
    """What the history says last of an activity that failed, was lost, was skipped or asks a person, and in which
    fact; ``form`` is what it asks.
    """

    text: str
    where: str | None
    seq: int
    at: datetime
    form: Form | None = None


class Usage(msgspec.Struct, frozen=True, kw_only=True):
    """What is in use over all runs.

    ``pools`` are (slots in use, slots; -1 for no limit) by name; ``tasks`` are the open attempts of this DAG's tasks
    by task_id; ``active_runs`` are its runs that take their turn before this one: those that have begun, and older ones
    that wait. ``max_active_runs`` is that of the DAG as it stands now; where it is None, of the run's own version.
    ``holders`` says by pool who has its slots, ``ahead`` which runs those are; ``past`` by task what it waits for
    in the run before; these may be left out.
    """

    open_attempts: int = 0
    parallelism: int = 32
    pools: Mapping[str, tuple[int, int]] = {}
    tasks: Mapping[str, int] = {}
    active_runs: int = 0
    max_active_runs: int | None = None
    holders: Mapping[str, tuple[str, ...]] = {}
    ahead: tuple[str, ...] = ()
    past: Mapping[str, str] = {}


def span(duration: timedelta) -> str:
    """A duration in its two largest units: 40 ms, 1.3 s, 35 s, 2 min 5 s, 3 h 4 min, 2 d 3 h."""
    exact = duration.total_seconds()
    if 0.0005 <= exact < 0.9995:
        return f"{exact * 1000:.0f} ms"
    if 0.9995 <= exact < 9.95:
        return f"{exact:.1f}".removesuffix(".0") + " s"
    seconds = max(0, round(exact))
    parts = ((seconds // 86400, "d"), (seconds // 3600 % 24, "h"), (seconds // 60 % 60, "min"), (seconds % 60, "s"))
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number or first == 3)


def named(task_id: str, map_index: int = UNMAPPED) -> str:
    """A task as a person writes it: ``ship`` or ``ship[3]``."""
    return task_id if map_index == UNMAPPED else f"{task_id}[{map_index}]"


def listed(names: list[str], most: int = 3) -> str:
    """``a, b, c and 4 more``."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")
