"""Telling: from a fact to the hooks of a listener that it means."""

import logging
import traceback
from collections.abc import Iterator
from typing import Any

import msgspec

from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    ActivitySkipped,
    ActivityStarted,
    Recorded,
    RunEnded,
    RunStarted,
)
from orchestrator.names import RunState, TaskState
from orchestrator.plugins.happenings import HeardRun, HeardTask
from orchestrator.plugins.plugin import Plugin

BEGINNINGS = (RunStarted, ActivityScheduled)
"""The first of these makes a run one that runs."""

log = logging.getLogger(__name__)


def followed(run: HeardRun, fact: Recorded) -> HeardRun:
    """The run as the fact leaves it."""
    if isinstance(fact.event, RunEnded):
        return msgspec.structs.replace(run, state=fact.event.state)
    return msgspec.structs.replace(run, state=RunState.RUNNING) if isinstance(fact.event, BEGINNINGS) else run


def tell(plugin: Plugin, before: HeardRun, fact: Recorded) -> None:
    """Call every hook of the plugin that wants to know; what one raises is logged, and does not keep the others.

    ``before`` is the run as it was before the fact.
    """
    run = followed(before, fact)
    for hook, words in _calls(before, run, fact):
        if hook not in plugin.hooks:
            continue
        try:
            plugin.tell(hook, **words)
        except Exception as error:
            log.warning(
                "the hook %s() of the plugin %r failed on fact %d of %s: %s",
                hook,
                plugin.name,
                fact.seq,
                run.run_id,
                _words(error),
            )


def _calls(before: HeardRun, run: HeardRun, fact: Recorded) -> Iterator[tuple[str, dict[str, Any]]]:
    event = fact.event
    yield "on_fact", {"run": run, "fact": fact}
    if before.state is RunState.QUEUED and run.state is RunState.RUNNING:
        yield "on_dag_run_running", {"dag_run": run, "msg": ""}
    match event:
        case RunEnded(state=RunState.SUCCESS):
            yield "on_dag_run_success", {"dag_run": run, "msg": event.reason}
        case RunEnded():
            yield "on_dag_run_failed", {"dag_run": run, "msg": event.reason}
        case ActivityStarted():
            yield "on_task_instance_running", _task(run, event, TaskState.RUNNING)
        case ActivityCompleted():
            yield "on_task_instance_success", _task(run, event, TaskState.SUCCESS)
        case ActivityFailed():
            state = TaskState.FAILED if event.retry_at is None else TaskState.UP_FOR_RETRY
            yield "on_task_instance_failed", _task(run, event, state) | {"error": event.failure.message}
        case ActivitySkipped(attempt=attempt) if attempt:
            yield "on_task_instance_skipped", _task(run, event, TaskState.SKIPPED)


def _task(run: HeardRun, event: Any, state: TaskState) -> dict[str, Any]:
    task = HeardTask(
        dag_id=run.dag_id,
        run_id=run.run_id,
        task_id=event.task_id,
        map_index=event.map_index,
        try_number=event.attempt,
        state=state,
        dag_run=run,
    )
    return {"previous_state": None, "task_instance": task}


def _words(error: Exception) -> str:
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{frame.filename}:{frame.lineno}: {type(error).__name__}: {error}"
