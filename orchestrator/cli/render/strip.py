"""A history as a strip: blue for what the engine decided or a person asked, red for what happened in a worker."""

from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import BLUE, RED
from orchestrator.cli.render.details import clock, parts, subject
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    Recorded,
)

_HAPPENED = (ActivityStarted, ActivityCompleted, ActivityFailed, ActivityLost, ActivityDeferred)
_DECIDED_MARK, _HAPPENED_MARK = "◇", "◆"
_TYPE_WIDTH, _SUBJECT_WIDTH = 23, 22
_ROOM_FOR_DETAILS = 200


def print_legend(console: Console) -> None:
    """What the two colours and marks mean."""
    legend = Text()
    legend.append(f"{_DECIDED_MARK} decided or asked for", style=BLUE)
    legend.append("   ")
    legend.append(f"{_HAPPENED_MARK} happened in a worker", style=RED)
    console.print(legend)


def print_strip(console: Console, facts: Iterable[Recorded]) -> None:
    """One line for each fact, under the day on which it was recorded."""
    day = None
    for fact in facts:
        if fact.at.date() != day:
            day = fact.at.date()
            console.print(f"{day} UTC", style="dim")
        _print(console, _line(fact))


def _print(console: Console, line: Text) -> None:
    """Cut to the width of a terminal; written as it is where there is neither one nor colour, which is far quicker."""
    if console.is_terminal or console.color_system is not None:
        console.print(line, no_wrap=True, overflow="ellipsis")
    else:
        console.file.write(f"{line.plain}\n")


def _line(fact: Recorded) -> Text:
    colour, mark = (RED, _HAPPENED_MARK) if happened(fact.event) else (BLUE, _DECIDED_MARK)
    line = Text(f"{fact.seq:>5}  ")
    line.append(clock(fact.at), style="dim")
    line.append(f"  {mark} {type(fact.event).__name__:<{_TYPE_WIDTH}}", style=colour)
    if about := one_line(subject(fact.event)):
        line.append(f"  {about:<{_SUBJECT_WIDTH}}")
    line.append(f"  {_details(fact.event)}", style="dim")
    line.rstrip()
    return line


def happened(event: AnyEvent) -> bool:
    """Whether a worker told of it; all else is the engine's decision or a person's."""
    return isinstance(event, _HAPPENED) or (isinstance(event, ActivitySkipped) and event.attempt > 0)


def _details(event: AnyEvent) -> str:
    """What else there is to say of it, shortened to one line."""
    text = one_line("  ".join(part for part in parts(event) if part))
    return text if len(text) <= _ROOM_FOR_DETAILS else text[: _ROOM_FOR_DETAILS - 1] + "…"
