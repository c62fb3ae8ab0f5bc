"""The terminal: where to write, in which colours, and how a value reads."""

import json
import sys
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.text import Text

from orchestrator.cli.printable import one_line, printable
from orchestrator.names import RunState, TaskState

_UNBOUNDED = 100_000  # nothing is cut or folded in what a program or a file reads

BLUE = "bright_blue"
RED = "red"

STATES: dict[str, str] = {
    TaskState.NONE: "dim",
    TaskState.SCHEDULED: "white",
    TaskState.QUEUED: "yellow",
    TaskState.RUNNING: "bright_cyan",
    TaskState.SUCCESS: "green",
    TaskState.FAILED: "bold red",
    TaskState.UP_FOR_RETRY: "yellow",
    TaskState.UP_FOR_RESCHEDULE: "cyan",
    TaskState.UPSTREAM_FAILED: "dark_orange",
    TaskState.SKIPPED: "magenta",
    TaskState.RESTARTING: "yellow",
    TaskState.REMOVED: "dim",
    TaskState.DEFERRED: "cyan",
    TaskState.AWAITING_INPUT: "bold yellow",
}


def out() -> Console:
    """Where results go."""
    return _console(stderr=False)


def err() -> Console:
    """Where errors, progress and remarks go."""
    return _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() else _UNBOUNDED
    return Console(file=stream, highlight=False, emoji=False, width=width, soft_wrap=False)


def remark(sentence: str) -> None:
    """One line on stderr, beside the result."""
    err().print(escape(one_line(sentence)), style="dim", soft_wrap=True)


def say(sentence: str, style: str = "") -> None:
    """One line on stdout."""
    out().print(escape(one_line(sentence)), style=style, soft_wrap=True)


def state_text(state: TaskState | RunState | str) -> Text:
    """A state's word in its colour."""
    return Text(str(state), style=STATES.get(str(state), ""))


def cell(value: Any) -> str:
    """A value as a table shows it."""
    return printable(_written(value))


def _written(value: Any) -> str:
    match value:
        case None:
            return ""
        case datetime():
            return moment(value)
        case timedelta():
            return duration(value.total_seconds())
        case float():
            return f"{value:.3f}"
        case msgspec.Raw():
            return bytes(value).decode("utf-8", "replace")
        case dict():
            return json.dumps(value, ensure_ascii=False, default=str)
        case list() | tuple() | set() | frozenset():
            return ", ".join(_written(item) for item in value)
        case _:
            return str(value)


def moment(at: datetime) -> str:
    """A moment in UTC, to the second."""
    return f"{at.astimezone(UTC).replace(tzinfo=None).isoformat(' ', 'seconds')}Z"


def duration(seconds: float) -> str:
    """A time span as people read it: 0.42s, 12.3s, 3m 04s, 2h 05m, 3d 04h; none below 0, as after a clock was set."""
    if seconds < 10:
        return f"{max(seconds, 0.0):.2f}s"
    if seconds < 60:
        return f"{seconds:.1f}s"
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02}h"
    return f"{hours}h {minute:02}m" if hours else f"{minutes}m {second:02}s"
