"""``orchestrator runs signal`` and ``update``: telling a workflow something, and asking it for a change."""

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.talking import answer_to, signal_to, update_of
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_ids, signals, updates, who, with_home
from orchestrator.cli.output import Format, output_option
from orchestrator.cli.printable import json_text
from orchestrator.cli.render.console import say

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
    value = read_json(payload, "the signal's payload")
    request = signal_to(home, run, name, value, raw(value), who())
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
    value = read_json(arguments, "what the update is asked with")
    request = update_of(home, run, name, value, raw(value), who())
    verdict = submit(home, request)
    if not wait:
        show_verdict(request, verdict, f"Sent update {name} to {run.run_id} of {dag_id}.", output)
        return
    say(json_text(bytes(answer_to(home, run, request, timeout)).decode()))
