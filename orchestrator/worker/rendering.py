"""Rendering: what a task's template fields would be in an attempt, in a process of its own. No body runs in it."""

import json
import os
import sys
from typing import Any

import msgspec

from orchestrator.authoring.context import build_context
from orchestrator.authoring.masking import masked_value
from orchestrator.authoring.runtime import running
from orchestrator.authoring.task import Task
from orchestrator.authoring.typed.types import AuthorTypes
from orchestrator.authoring.vault import keep_vault
from orchestrator.core import values
from orchestrator.core.orders import Order
from orchestrator.core.particulars import Failure
from orchestrator.core.typed import keep_types
from orchestrator.dagbag import importing
from orchestrator.dagbag.classes import VersionClasses
from orchestrator.exceptions import ValueEncodingError
from orchestrator.worker.attempt import Running
from orchestrator.worker.bodies import Bodies
from orchestrator.worker.equipment import results_of
from orchestrator.worker.exchange import AttemptExchange, RunDatabase
from orchestrator.worker.failure import failure_of
from orchestrator.worker.log import write_all
from orchestrator.worker.settings import WorkerSettings
from orchestrator.worker.vault import vault_of


class RenderJob(msgspec.Struct, frozen=True):
    """What is to be rendered."""

    order: Order
    settings: WorkerSettings


class Rendered(msgspec.Struct, frozen=True, kw_only=True):
    """The template fields by name, as JSON values without secrets; or why there are none."""

    fields: dict[str, Any] = {}
    failure: Failure | None = None


def render(job: RenderJob) -> Rendered:
    """Load the order's code, in this process, and fill the template fields of its task."""
    try:
        return Rendered(fields=_fields(job))
    except (Exception, SystemExit) as error:  # whatever an author's code raises is an answer
        return Rendered(failure=failure_of(error, job.order.code))


def _fields(job: RenderJob) -> dict[str, Any]:
    settings = job.settings
    results = results_of(settings)
    keep_vault(
        vault_of(settings.home_database, settings.fernet_key, settings.fernet_file, settings.backing)
    )  # this process is there for nothing else
    keep_types(AuthorTypes(VersionClasses(settings.allowed_classes)))
    dag, task = Bodies(importing.load, settings.kept_versions).find(job.order)
    exchange = AttemptExchange(job.order, results, RunDatabase(settings.run_database).reads)
    context = build_context(job.order, dag, task, exchange=exchange)
    with running(Running(context)):
        ready = task.prepare(context, results.inputs(job.order, exchange.page))
    return {name: masked_value(_as_json(getattr(ready, name, None)), name) for name in _names(task)}


def _names(task: Task) -> tuple[str, ...]:
    return tuple(getattr(task, "template_fields", ()))


def _as_json(value: object) -> Any:
    """The value as it would be recorded; of what cannot be recorded, what Python says of it."""
    try:
        return json.loads(values.readable(values.encode(list(value) if isinstance(value, tuple) else value)))
    except ValueEncodingError:
        return repr(value)


def main() -> None:
    """Read a RenderJob from stdin and write what came of it to stdout; what an author's file prints goes to stderr."""
    answer = os.dup(1)
    os.dup2(2, 1)
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=RenderJob)
    write_all(answer, msgspec.json.encode(render(job)))
