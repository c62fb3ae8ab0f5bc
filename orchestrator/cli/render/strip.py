"""A history as a strip: blue for what the engine decided or a person asked, red for what happened in a worker."""

from collections.abc import Iterable, Mapping

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from orchestrator.cli.printable import one_line
from orchestrator.cli.render.console import BLUE, RED
from orchestrator.core.events import Recorded
from orchestrator.core.fact_words import clock, happened, parts, subject

_DECIDED_MARK, _HAPPENED_MARK = "◇", "◆"
_TYPE_WIDTH, _SUBJECT_WIDTH = 23, 22
_INDENT = 7  # the details of a line that is too long stand below it, right of the seq
_MOST_DETAILS = 2_000  # characters on a terminal


def print_legend(console: Console) -> None:
    """What the two colours and marks mean."""
    legend = Text()
    legend.append(f"{_DECIDED_MARK} decided or asked for", style=BLUE)
    legend.append("   ")
    legend.append(f"{_HAPPENED_MARK} happened in a worker", style=RED)
    console.print(legend)


def print_strip(console: Console, facts: Iterable[Recorded], numbers: Mapping[int, int]) -> None:
    """One line for each fact, under the day on which it was recorded; where a terminal is too narrow, several.

    ``numbers``: of the DAG's versions, by version id. Only on a terminal what is said at great length is cut.
    """
    day = None
    for fact in facts:
        if fact.at.date() != day:
            day = fact.at.date()
            console.print(f"{day} UTC", style="dim")
        details = one_line("  ".join(part for part in parts(fact.event, numbers) if part))
        _print(console, _head(fact), details)


def _print(console: Console, head: Text, details: str) -> None:
    """Written as it is where there is neither a terminal nor colour, which is far quicker."""
    if not console.is_terminal and console.color_system is None:
        console.file.write(f"{head.plain}  {details}".rstrip() + "\n")
        return
    if console.is_terminal and len(details) > _MOST_DETAILS:
        details = f"{details[:_MOST_DETAILS]}… (-o json shows all of it)"
    line = head.copy().append(f"  {details}", style="dim")
    line.rstrip()
    if not console.is_terminal or line.cell_len <= console.width:
        console.print(line, soft_wrap=True)
        return
    head.rstrip()
    console.print(head, overflow="fold")
    if details:
        console.print(Padding(Text(details, style="dim", overflow="fold"), (0, 0, 0, _INDENT)))


def _head(fact: Recorded) -> Text:
    colour, mark = (RED, _HAPPENED_MARK) if happened(fact.event) else (BLUE, _DECIDED_MARK)
    line = Text(f"{fact.seq:>5}  ")
    line.append(clock(fact.at), style="dim")
    line.append(f"  {mark} {type(fact.event).__name__:<{_TYPE_WIDTH}}", style=colour)
    if about := one_line(subject(fact.event)):
        line.append(f"  {about:<{_SUBJECT_WIDTH}}")
    return line
