"""``orchestrator runs signal`` and ``update``: telling a workflow something, and asking it for a change."""

import time
import uuid
from datetime import timedelta

import click

from orchestrator.assembly.entrances import find_entrance
from orchestrator.assembly.home import Home
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.authoring.conf import check_fits
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run, spec_version
from orchestrator.cli.options import dag_argument, run_ids, signals, updates, who, with_home
from orchestrator.cli.output import Format, output_option
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import say
from orchestrator.core.events import UpdateAnswered
from orchestrator.core.reasons import span
from orchestrator.core.requests import SendSignal, SendUpdate
from orchestrator.exceptions import ConflictError, UsageError
from orchestrator.storage.views import RunRow

_LOOK_SECONDS = 0.05

named_run_argument = click.argument("run_id", metavar="RUN", shell_complete=run_ids)


@click.command("signal")
@dag_argument
@named_run_argument
@click.argument("name", shell_complete=signals)
@click.argument("payload", metavar="[JSON]", default="null")
@output_option
@with_home
def signal(home: Home, dag_id: str, run_id: str, name: str, payload: str, output: Format) -> None:
    """Send a signal to a workflow.

    It is kept until the workflow's code takes it, also where that does not wait for it yet.

    \b
    Example:
      orchestrator runs signal order_workflow 1001 approve '{"by": "ada"}'
    """
    run = find_run(home, dag_id, run_id)
    spec = home.reads.spec(spec_version(home, run))
    value = read_json(payload, "the signal's payload")
    check_fits(f"signal {name!r}", find_entrance(spec, "signal", spec.signals, name), value)
    request = SendSignal(dag_id=dag_id, run_id=run.run_id, by=who(), name=name, payload=raw(value))
    show_verdict(request, submit(home, request), f"Sent signal {name} to {run.run_id} of {dag_id}.", output)


@click.command("update")
@dag_argument
@named_run_argument
@click.argument("name", shell_complete=updates)
@click.argument("arguments", metavar="JSON", default="{}")
@click.option("--wait", is_flag=True, help="Wait for the answer, and print it as JSON.")
@click.option("--timeout", type=click.FloatRange(min=0), default=60.0, show_default=True, help="Seconds to wait.")
@output_option
@with_home
def update(
    home: Home, dag_id: str, run_id: str, name: str, arguments: str, wait: bool, timeout: float, output: Format
) -> None:
    """Ask a workflow for a change that it answers.

    JSON is an object of arguments by name. The answer is recorded in the run's history.

    \b
    Example:
      orchestrator runs update order_workflow 1001 set_address '{"street": "Elm 1"}' --wait
    """
    run = find_run(home, dag_id, run_id)
    spec = home.reads.spec(spec_version(home, run))
    value = read_json(arguments, "what the update is asked with")
    check_fits(f"update {name!r}", find_entrance(spec, "update", spec.updates, name), value)
    if not isinstance(value, dict):
        raise UsageError(f"update {name!r} takes its arguments by name; write an object such as '{{\"key\": 1}}'")
    request = SendUpdate(
        dag_id=dag_id, run_id=run.run_id, by=who(), update_id=uuid.uuid4().hex, name=name, payload=raw(value)
    )
    seq = run.last_seq
    verdict = submit(home, request)
    if not wait:
        show_verdict(request, verdict, f"Sent update {name} to {run.run_id} of {dag_id}.", output)
        return
    answer = _answer(home, run, request, seq, timeout)
    if answer.failure is not None:
        raise ConflictError(f"update {name!r} was not done: {answer.failure.message}")
    say(json_text(bytes(answer.result).decode()))


def _answer(home: Home, run: RunRow, request: SendUpdate, seq: int, timeout: float) -> UpdateAnswered:
    """The answer, once it is recorded; ConflictError if that takes too long, or the run ends before."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        now = home.reads.run(run.dag_id, run.run_id)
        for fact in home.reads.history(now.run_key, after=seq) if now.run_key else ():
            seq = fact.seq
            if isinstance(fact.event, UpdateAnswered) and fact.event.update_id == request.update_id:
                return fact.event
        if now.is_ended:
            raise ConflictError(f"run {run.run_id!r} has ended ({now.state}) without an answer: {now.reason}")
        time.sleep(_LOOK_SECONDS)
    raise ConflictError(
        f"update {request.name!r} has no answer after {span(timedelta(seconds=timeout))}; it is kept, and "
        f"`orchestrator runs history {run.dag_id} {run.run_id}` shows its answer when there is one"
    )
