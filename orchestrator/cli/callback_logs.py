"""The logs of callbacks: each has its own, beside that of the attempt that called for it."""

from pathlib import Path

import click

from orchestrator.assembly.home import Home
from orchestrator.core.callback_events import CallbackScheduled
from orchestrator.core.orders import log_path
from orchestrator.exceptions import NotFoundError
from orchestrator.names import UNMAPPED, CallbackKind
from orchestrator.storage.views import RunRow

callback_option = click.option(
    "--callback", type=click.Choice([str(kind) for kind in CallbackKind]), help="What its callbacks of that kind wrote."
)


def callback_log(
    home: Home,
    run: RunRow,
    kind: str,
    *,
    task_id: str = "",
    map_index: int = UNMAPPED,
    attempt: int | None = None,
) -> Path:
    """Where the callbacks of a task, or of the run, wrote when they were called last; NotFoundError if never."""
    for fact in reversed(home.reads.facts_of(run.run_key, [CallbackScheduled], until=run.last_seq)):
        event = fact.event
        assert isinstance(event, CallbackScheduled)
        is_there = event.map_index <= map_index < event.map_index + event.count
        if (event.kind, event.task_id) == (kind, task_id) and is_there and attempt in (None, event.attempt):
            return home.config.logging.base_log_folder / log_path(run.run_key, fact.seq, map_index)
    whose = f"of task {task_id!r}" if task_id else "of the DAG"
    after = "" if attempt is None else f" after attempt {attempt}"
    raise NotFoundError(f"no {kind}_callback {whose} was called in run {run.run_id!r}{after}")
