"""``orchestrator tasks logs``."""

import sys
import time
from collections.abc import Callable

import click

from orchestrator.assembly.attempt_logs import LogPlace, log_of_callback, logs_of_try
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_logs import RunLogs
from orchestrator.cli.exits import colors
from orchestrator.cli.lookup import find_activity, find_run
from orchestrator.cli.options import dag_argument, map_index_option, run_argument, task_argument, with_home
from orchestrator.cli.printable import log_line
from orchestrator.cli.render.console import remark
from orchestrator.names import FINISHED, CallbackKind
from orchestrator.storage.views import ActivityRow, RunRow

_LOOK_SECONDS = 0.2

callback_option = click.option(
    "--callback", type=click.Choice([str(kind) for kind in CallbackKind]), help="What its callbacks of that kind wrote."
)


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
        place = log_of_callback(home, run, callback, task_id=task_id, map_index=activity.map_index, attempt=attempt)
        if not print_log(home, place):
            remark(f"The {callback}_callback of {task_id} wrote nothing.")
        return
    places = logs_of_try(home, run, activity, attempt)
    printed = [print_log(home, place) for place in (places[:-1] if follow else places)]
    if follow:
        follow_log(home, places[-1], lambda: _is_over(home, run, activity, attempt))
    elif not any(printed):
        remark(f"Try {attempt or activity.attempt} of {task_id} wrote nothing ({activity.state}).")


def _is_over(home: Home, run: RunRow, activity: ActivityRow, attempt: int | None) -> bool:
    now = home.reads.activity(run, activity.task_id, activity.map_index)
    return now.state in FINISHED or now.attempt != (attempt or activity.attempt)


def print_log(home: Home, place: LogPlace) -> bool:
    """Copy a log to stdout; whether there was anything."""
    copy = _Copy(home, place)
    copy.go_on()
    copy.end()
    return copy.offset > 0


def follow_log(home: Home, place: LogPlace, is_over: Callable[[], bool]) -> None:
    """Print what is there and what comes, until nothing can come any more."""
    home.be_patient(remark)
    copy = _Copy(home, place)
    while True:
        over = is_over()  # asked before the last read, so that nothing is missed
        copy.go_on()
        if over:
            break
        time.sleep(_LOOK_SECONDS)
    copy.end()


class _Copy:
    """A log on its way to stdout: its bytes, but on a terminal nothing of them that steers it but colours."""

    def __init__(self, home: Home, place: LogPlace) -> None:
        self.offset = 0
        self._logs = home.part(RunLogs)
        self._place = place
        self._rest = b""
        self._is_terminal = sys.stdout.isatty()
        self._with_colors = colors() is not False

    def go_on(self) -> None:
        """Print what came since the last time; on a terminal whole lines only."""
        while data := self._logs.piece(*self._place, offset=self.offset).data:
            self.offset += len(data)
            if self._is_terminal:
                *lines, self._rest = (self._rest + data).split(b"\n")
                for line in lines:
                    self._show(line + b"\n")
            else:
                sys.stdout.buffer.write(data)
        sys.stdout.flush()

    def end(self) -> None:
        """Print a last line that has no end."""
        if self._rest:
            self._show(self._rest)
            sys.stdout.flush()

    def _show(self, line: bytes) -> None:
        sys.stdout.write(log_line(line.decode("utf-8", "replace"), colors=self._with_colors))
