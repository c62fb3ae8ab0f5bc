"""The terminal: where to write, in which colours, and how a value reads."""

import sys
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.text import Text

from orchestrator.cli.printable import one_line, printable
from orchestrator.core import written as in_text
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
    return printable(in_text.written(value))


moment = in_text.moment
duration = in_text.duration
