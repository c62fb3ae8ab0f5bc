"""A history as a strip: blue for what the engine decided or a person asked, red for what happened in a worker."""

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

import msgspec
from rich.console import Console
from rich.text import Text

from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import BLUE, RED, cell
from orchestrator.core.events import (
    NULL,
    ActivityCompleted,
    ActivityDeferred,
    ActivityFailed,
    ActivityLost,
    ActivitySkipped,
    ActivityStarted,
    AnyEvent,
    PayloadRef,
    Recorded,
    RunCreated,
)

_HAPPENED = (ActivityStarted, ActivityCompleted, ActivityFailed, ActivityLost, ActivityDeferred)
_DECIDED_MARK, _HAPPENED_MARK = "◇", "◆"
_ROOM_FOR_DETAILS = 200
_SAID = frozenset({"task_id", "map_index", "count", "attempt", "fingerprint", "input_digest", "digest"})
NO_CONF = msgspec.Raw(b"{}")


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
        console.print(_line(fact), no_wrap=True, overflow="ellipsis")


def _line(fact: Recorded) -> Text:
    colour, mark = (RED, _HAPPENED_MARK) if happened(fact.event) else (BLUE, _DECIDED_MARK)
    line = Text(f"{fact.seq:>5}  ")
    line.append(_clock(fact.at), style="dim")
    line.append(f"  {mark} {type(fact.event).__name__:<22}", style=colour)
    if subject := _subject(fact.event):
        line.append(f"  {subject:<22}")
    line.append(f"  {_details(fact.event)}", style="dim")
    line.rstrip()
    return line


def happened(event: AnyEvent) -> bool:
    """Whether a worker told of it; all else is the engine's decision or a person's."""
    return isinstance(event, _HAPPENED) or (isinstance(event, ActivitySkipped) and event.attempt > 0)


def _clock(at: datetime) -> str:
    return f"{at:%H:%M:%S}.{at.microsecond // 1000:03}"


def _subject(event: AnyEvent) -> str:
    """The task, with its index or range of indexes."""
    task_id = getattr(event, "task_id", "")
    first, count = getattr(event, "map_index", -1), getattr(event, "count", 1)
    if first < 0:
        return str(task_id)
    return f"{task_id}[{first}]" if count == 1 else f"{task_id}[{first}…{first + count - 1}]"


def _details(event: AnyEvent) -> str:
    """What else there is to say of it, shortened to one line."""
    text = one_line("  ".join(part for part in _parts(event) if part))
    return text if len(text) <= _ROOM_FOR_DETAILS else text[: _ROOM_FOR_DETAILS - 1] + "…"


def _parts(event: AnyEvent) -> list[str]:
    number = getattr(event, "attempt", 0)
    attempt = f"try {number}" if number else ""
    match event:
        case RunCreated():
            conf = "" if event.conf == NO_CONF else f"conf {cell(event.conf)}"
            return [event.run_id, conf, f"by {event.triggered_by}"]
        case ActivityCompleted(payload=PayloadRef() as payload):
            return [attempt, f"→ {payload.size} bytes"]
        case ActivityCompleted():
            return [attempt, "" if event.result == NULL else f"→ {cell(event.result)}"]
        case ActivityFailed():
            again = "" if event.retry_at is None else f"again at {_clock(event.retry_at)}"
            return [attempt, again, f"{event.kind}: {event.failure.message}"]
        case ActivityLost():
            fate = "outcome unknown" if event.unknown else "costs no try" if event.free else ""
            return [attempt, event.reason, fate]
        case _:
            return [attempt, *(f"{name} {cell(value)}" for name, value in _own_fields(event))]


def _own_fields(event: AnyEvent) -> Iterator[tuple[str, Any]]:
    """The fields that are not their default, but for those that the line has said already."""
    for field in msgspec.structs.fields(type(event)):
        value = getattr(event, field.name)
        if field.name not in _SAID and value != field.default:
            yield field.name, value
