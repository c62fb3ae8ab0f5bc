"""``orchestrator runs reset``."""

import click

from orchestrator.assembly.home import Home
from orchestrator.assembly.prospects import Prospects
from orchestrator.cli import rows
from orchestrator.cli.choosing import chosen_version, version_options
from orchestrator.cli.consequences import effect_row, question, tell_effects, tell_findings
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import confirm, dag_argument, run_argument, task_ids, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.core.requests import ResetRun


@click.command("reset")
@dag_argument
@run_argument
@click.option("--to", "seq", type=int, metavar="SEQ", help="Go back to where the run stood after this fact.")
@click.option(
    "--before", metavar="TASK", shell_complete=task_ids, help="Go back to where it stood before this task began."
)
@version_options
@click.option("--reason", default="", help="Why, for the record.")
@yes_option
@output_option
@with_home
def reset(
    home: Home,
    dag_id: str,
    run_id: str | None,
    seq: int | None,
    before: str | None,
    latest: bool,
    version: int | None,
    reason: str,
    yes: bool,
    output: Format,
) -> None:
    """Take a run back in its history, and let it go on from there.

    What was recorded later stays in the history and counts no more, but for signals. What would happen again is listed
    first. To keep the run as it is, and try in a new one, fork it.

    \b
    Example:
      orchestrator runs reset order_1001 --before ship_package --reason 'wrong label' -y
    """
    run = find_run(home, dag_id, run_id)
    prospects = Prospects(home, run)
    past = prospects.past(prospects.seq(seq, before))
    version_id = chosen_version(home, dag_id, latest=latest, version=version)
    target = version_id or run.version_id  # a reset leaves the version as it is
    tell_findings(prospects.doubts(past, target))
    effects = prospects.effects(past, target)
    tell_effects(effects)
    if effects:
        confirm(question(effects, f"Reset {run.run_id} to {past.until.seq}"), yes=yes)
    request = ResetRun(
        dag_id=dag_id, run_id=run.run_id, seq=past.until.seq, reason=reason, version_id=version_id, by=who()
    )
    verdict = submit(home, request)
    if output is Format.TABLE:
        show_verdict(request, verdict, f"Reset {run.run_id} of {dag_id} to {request.seq}.", output)
        return
    asked = {"seq": request.seq, "effects": [effect_row(effect) for effect in effects]}
    show_object(rows.request_row(request, verdict) | asked, output)
