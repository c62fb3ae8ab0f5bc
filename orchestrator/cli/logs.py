"""``orchestrator tasks logs``."""

import contextlib
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import click

from orchestrator.assembly.home import Home
from orchestrator.cli.callback_logs import callback_log, callback_option
from orchestrator.cli.exits import colors
from orchestrator.cli.lookup import find_activity, find_run
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, with_home
from orchestrator.cli.printable import log_line
from orchestrator.cli.render.console import remark
from orchestrator.core.events import ActivityScheduled, AnyEvent
from orchestrator.core.orders import log_path
from orchestrator.exceptions import NotFoundError
from orchestrator.names import FINISHED
from orchestrator.storage.views import ActivityRow, RunRow

_LOOK_SECONDS = 0.2


@click.command("logs")
@dag_argument
@task_argument
@run_argument
@map_index_option
@click.option("--attempt", type=click.IntRange(min=1), help="Which try; the last by default.")
@callback_option
@click.option("-f", "--follow", is_flag=True, help="Go on until the task ends.")
@with_home
def logs(
    home: Home,
    dag_id: str,
    task_id: str,
    run_id: str | None,
    map_index: int,
    attempt: int | None,
    callback: str | None,
    follow: bool,
) -> None:
    """Print what a task wrote.

    \b
    Example:
      orchestrator tasks logs order_1001 charge_card --follow
      orchestrator tasks logs order_1001 charge_card --callback on_failure
    """
    run = find_run(home, dag_id, run_id)
    activity = find_activity(home, run, task_id, map_index)
    if callback is not None:
        path = callback_log(home, run, callback, task_id=task_id, map_index=activity.map_index, attempt=attempt)
        if not print_log(path):
            remark(f"The {callback}_callback of {task_id} wrote nothing.")
        return
    pieces = [home.config.logging.base_log_folder / piece for piece in _pieces(home, run, activity, attempt)]
    printed = [print_log(path) for path in (pieces[:-1] if follow else pieces)]
    if follow:
        follow_log(pieces[-1], lambda: _is_over(home, run, activity, attempt))
    elif not any(printed):
        remark(f"Try {attempt or activity.attempt} of {task_id} wrote nothing ({activity.state}).")


def _pieces(home: Home, run: RunRow, activity: ActivityRow, attempt: int | None) -> list[str]:
    """Where the try's log lies: in several files, if it was put off or deferred in between."""
    if activity.attempt == 0:
        raise NotFoundError(f"task {activity.task_id!r} has not run yet: it is {activity.state}, so it has no log")
    facts = home.reads.facts_of(run.run_key, (ActivityScheduled,), until=run.last_seq)
    opened = [fact.seq for fact in facts if _opens(fact.event, activity, attempt or activity.attempt)]
    if not opened and attempt in (None, activity.attempt):
        opened = [activity.scheduled_seq]
    if not opened:
        tries = "1 try" if activity.attempt == 1 else f"{activity.attempt} tries"
        raise NotFoundError(f"task {activity.task_id!r} has had {tries}; there is no try {attempt}")
    return [log_path(run.run_key, seq, activity.map_index) for seq in opened]


def _opens(event: AnyEvent, activity: ActivityRow, attempt: int) -> bool:
    """Whether this fact is where that try of the activity began, or went on."""
    if not isinstance(event, ActivityScheduled) or (event.task_id, event.attempt) != (activity.task_id, attempt):
        return False
    return event.map_index <= activity.map_index < event.map_index + event.count


def _is_over(home: Home, run: RunRow, activity: ActivityRow, attempt: int | None) -> bool:
    now = home.reads.activity(run, activity.task_id, activity.map_index)
    return now.state in FINISHED or now.attempt != (attempt or activity.attempt)


def print_log(path: Path) -> bool:
    """Copy the file to stdout; whether there was anything."""
    with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
        _copy(file)
        return file.tell() > 0
    return False


def _copy(file: BinaryIO) -> None:
    """The rest of the file to stdout: its bytes, but on a terminal nothing of them that steers it but colours."""
    if sys.stdout.isatty():
        with_colors = colors() is not False
        for line in file:
            sys.stdout.write(log_line(line.decode("utf-8", "replace"), colors=with_colors))
    else:
        shutil.copyfileobj(file, sys.stdout.buffer)
    sys.stdout.flush()


def follow_log(path: Path, is_over: Callable[[], bool]) -> None:
    """Print what is there and what comes, until nothing can come any more."""
    file: BinaryIO | None = None
    while True:
        over = is_over()  # asked before the last read, so that nothing is missed
        if file is None and path.exists():
            file = path.open("rb")
        if file is not None:
            _copy(file)
        if over:
            break
        time.sleep(_LOOK_SECONDS)
    if file is not None:
        file.close()
