"""A run as it goes on: a live table on a terminal, a line for each change anywhere else."""

from collections.abc import Sequence
from datetime import datetime
from types import TracebackType
from typing import Protocol, Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from orchestrator.assembly.offspring import Child
from orchestrator.cli.printable import one_line, printable
from orchestrator.cli.progress import Progress, TaskLine, changed, changed_children
from orchestrator.cli.render.console import duration, err, moment, out, remark, state_text
from orchestrator.names import FINISHED, RunState, TaskState
from orchestrator.storage.views import RunRow

_BAR_WIDTH = 40
_STATE_WIDTH, _TIME_WIDTH = 24, 7  # wide enough that columns stay where they are while states change
_ROWS_BESIDE_THE_TABLE = 6


class RunView(Protocol):
    """Shows one look at a run after the other."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def show(self, progress: Progress, now: datetime) -> None: ...

    def remark(self, sentence: str) -> None:
        """One line beside it."""


def run_view(*, stderr: bool) -> RunView:
    """The view that suits where it is written to."""
    console = err() if stderr else out()
    return LiveView(console) if console.file.isatty() else LineView(console)


class LiveView:
    """A table that is redrawn in its place and stays when the run has ended."""

    def __init__(self, console: Console) -> None:
        self._live = Live(console=console, auto_refresh=False, vertical_overflow="visible")
        self._room = max(3, console.height - _ROWS_BESIDE_THE_TABLE)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def show(self, progress: Progress, now: datetime) -> None:
        self._live.update(picture(progress, now, self._room), refresh=True)

    def remark(self, sentence: str) -> None:
        self._live.console.print(escape(one_line(sentence)), style="dim")


class LineView:
    """One line for each change."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._before: Progress | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def show(self, progress: Progress, now: datetime) -> None:
        for line in changed(self._before, progress):
            self._console.print(f"{moment(now)}  {escape(sentence(line, now))}", soft_wrap=True)
            if line.state is TaskState.AWAITING_INPUT:
                self._console.print(f"{moment(now)}  {escape(_question(progress.run, line))}", soft_wrap=True)
        for child in changed_children(self._before, progress):
            self._console.print(f"{moment(now)}  {escape(_child(child))}", soft_wrap=True)
        if self._before is None or _standing(self._before.run) != _standing(progress.run):
            run = progress.run
            self._console.print(f"{moment(now)}  {escape(run.run_id)}  {escape(_standing(run))}", soft_wrap=True)
        self._before = progress

    def remark(self, sentence: str) -> None:
        remark(sentence)


def sentence(line: TaskLine, now: datetime) -> str:
    """A task's change in one line."""
    elapsed = line.elapsed(now)
    took = f", {duration(elapsed)}" if elapsed is not None and line.state in FINISHED else ""
    if line.is_mapped:
        return f"{line.task_id}  {line.done}/{line.total} done: {_tally(line)}{took}"
    again = f", next try at {moment(line.retry_at)}" if line.state is TaskState.UP_FOR_RETRY and line.retry_at else ""
    tried = f"try {line.attempt}" if line.attempt else "never ran"
    return f"{line.task_id}  {line.state} ({tried}{took}{again})"


def _standing(run: RunRow) -> str:
    """The run's state, and what holds it: a person, its end, or what is the matter with its code."""
    held = [word for word, holds in (("paused", run.is_paused), ("cancelling", run.is_cancelling)) if holds]
    held += [f"blocked ({run.blocked}): {one_line(run.reason)}"] if run.blocked else []
    return ", ".join([str(run.state), *(held if not run.is_ended else ())])


def _child(child: Child) -> str:
    """How a child stands; as a rule the parent waits for it."""
    why = f": {one_line(child.message)}" if child.message else ""
    state = f"{child.state}, blocked ({child.blocked})" if child.blocked else str(child.state or "deleted")
    return f"child {child.child_id}  {state}  ({child.dag_id} {child.run_id}){why}"


def _question(run: RunRow, line: TaskLine) -> str:
    """What a person is asked who watches a task that waits for an answer."""
    if line.asks:
        return f"{line.task_id} asks a person: orchestrator tasks answer {run.dag_id} {line.task_id} '{run.run_id}'"
    return (
        f"whether {line.task_id} had its effect is unknown; find out and say so: orchestrator tasks resolve "
        f"{run.dag_id} {line.task_id} '{run.run_id}' --success JSON (or --retry, or --fail)"
    )


def picture(progress: Progress, now: datetime, room: int) -> RenderableType:
    """Header, table of tasks and bar; of more tasks than there is ``room`` for, those that say most."""
    shown = _most_telling(progress.lines, room)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("task", overflow="fold")
    table.add_column("state", min_width=_STATE_WIDTH)
    table.add_column("try", justify="right")
    table.add_column("time", justify="right", min_width=_TIME_WIDTH)
    for line in shown:
        table.add_row(_name(line), _state(line, now), str(line.attempt or ""), _time(line, now))
    hidden = len(progress.lines) - len(shown)
    rest = [Text(f"and {hidden} more tasks", style="dim")] if hidden else []
    asking = (line for line in progress.lines if line.state is TaskState.AWAITING_INPUT)
    rest += [Text(one_line(_child(child)), style="dim") for child in _most_telling_children(progress.children, room)]
    rest += [Text(printable(progress.run.reason), style="red")] if progress.run.blocked else []
    rest += [Text(_question(progress.run, line), style="yellow") for line in asking]
    head, body = _header(progress, now), Padding(Group(*([table] if shown else ()), *rest), (0, 0, 0, 2))
    return Group(head, body, _bar(progress)) if progress.lines else Group(head, body)


def _most_telling_children(children: Sequence[Child], room: int) -> Sequence[Child]:
    """Those that are open, and where there is room those that have ended last."""
    open_ = [child for child in children if child.state in (RunState.QUEUED, RunState.RUNNING)]
    return (open_ or children)[-room:]


def _header(progress: Progress, now: datetime) -> Text:
    run = progress.run
    parts = [Text(run.dag_id, style="bold"), Text(run.run_id), state_text(run.state)]
    if run.blocked:
        parts.append(Text(f"blocked ({run.blocked})", style="bold red"))
    if run.is_paused:
        parts.append(Text("paused", style="yellow"))
    if run.is_cancelling and not run.is_ended:
        parts.append(Text("being cancelled", style="yellow"))
    if run.started_at is not None:
        parts.append(Text(duration(((run.ended_at or now) - run.started_at).total_seconds()), style="dim"))
    return Text("  ").join(parts)


def _bar(progress: Progress) -> RenderableType:
    total = max(progress.total, 1)
    grid = Table.grid(padding=(0, 2))
    failed = progress.run.is_ended and progress.run.state != "success"
    style = "red" if failed else "green"
    bar = ProgressBar(
        total=total, completed=progress.done, width=_BAR_WIDTH, complete_style=style, finished_style=style
    )
    grid.add_row(bar, f"{progress.done}/{progress.total} tasks done")
    return grid


def _name(line: TaskLine) -> Text:
    name = Text(line.task_id)
    return name.append(f" x{line.total}", style="dim") if line.is_mapped else name


def _state(line: TaskLine, now: datetime) -> Text:
    if line.is_mapped and len(line.counts) > 1:
        parts = [state_text(state).append(f" {count}") for state, count in sorted(line.counts.items())]
        return _with_progress(Text("  ").join(parts), line)
    text = state_text(line.state)
    if line.state is TaskState.UP_FOR_RETRY and line.retry_at is not None:
        text.append(f" in {duration(max(0.0, (line.retry_at - now).total_seconds()))}", style="dim")
    return _with_progress(text, line)


def _with_progress(text: Text, line: TaskLine) -> Text:
    return text.append(f"  {one_line(line.said)}", style="dim") if line.said else text


def _time(line: TaskLine, now: datetime) -> str:
    elapsed = line.elapsed(now)
    return "" if elapsed is None else duration(elapsed)


def _tally(line: TaskLine) -> str:
    return ", ".join(f"{count} {state}" for state, count in sorted(line.counts.items()))


def _most_telling(lines: Sequence[TaskLine], room: int) -> Sequence[TaskLine]:
    if len(lines) <= room:
        return lines
    quiet = {TaskState.NONE, TaskState.SUCCESS, TaskState.SKIPPED, TaskState.REMOVED}
    ranked = sorted(range(len(lines)), key=lambda place: (lines[place].state in quiet, place))
    return [lines[place] for place in sorted(ranked[:room])]
