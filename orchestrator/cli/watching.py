"""``orchestrator runs watch``."""

import click

from orchestrator.assembly.background import Background, background
from orchestrator.assembly.home import Home
from orchestrator.assembly.standstill import standstill
from orchestrator.cli import rows
from orchestrator.cli.background import background_fields, background_row
from orchestrator.cli.following import follow, scheduler_is_there
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import dag_argument, run_argument, with_home
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.console import remark, say
from orchestrator.cli.render.run_view import run_view
from orchestrator.names import RunState
from orchestrator.storage.views import RunRow


@click.command("watch")
@dag_argument
@run_argument
@output_option
@with_home
def watch(home: Home, dag_id: str, run_id: str | None, output: Format) -> None:
    """Follow a run until it ends.

    Exits 0 if the run succeeded. Ctrl-C ends the watching, not the run.

    \b
    Example:
      orchestrator runs watch order_1001
    """
    run = find_run(home, dag_id, run_id)
    if not run.is_ended and not scheduler_is_there(home):
        remark("No scheduler is running; the run goes on when one starts: orchestrator standalone")
    watch_to_the_end(home, run, output)


def watch_to_the_end(home: Home, run: RunRow, output: Format, *, if_blocked: bool = True) -> None:
    """Show progress, then how the run ended, and leave with 0 on success and 1 on failure.

    Unless it is watched also ``if_blocked``, that is an end as well, and none of success; so it is where it waits for
    blocked runs below it alone.

    With ``output`` table the progress is the result and goes to stdout; otherwise it goes to stderr.
    """
    try:
        ended = follow(home, run, run_view(stderr=output is not Format.TABLE), to_the_end=if_blocked)
    except KeyboardInterrupt:
        remark(f"The run goes on; follow it again with: orchestrator runs watch {run.dag_id} '{run.run_id}'")
        raise
    found = background(home, ended, None)
    if output is not Format.TABLE:
        said = background_row(home, found)
        show_object(rows.run_row(ended) | {"result": said["result"], "failure": said["failure"]}, output)
    elif ended.state is RunState.SUCCESS:
        _say_result(ended, found)
    else:
        remark(_why_not(home, ended))
    click.get_current_context().exit(0 if ended.state is RunState.SUCCESS else 1)


def _why_not(home: Home, run: RunRow) -> str:
    """Why it has no success, in one line."""
    block = None if run.is_ended else standstill(home, run)
    if block is None:
        return f"{run.reason or 'It failed'}. More: orchestrator runs why {run.dag_id} '{run.run_id}'"
    who = "It is" if block.run_key == run.run_key else f"It waits for run {block.run_id} of {block.dag_id}, which is"
    more = f"orchestrator runs why {block.dag_id} '{block.run_id}'"
    return f"{who} blocked ({block.blocked}): {block.reason}. More: {more}"


def _say_result(run: RunRow, found: Background) -> None:
    """What a workflow returned, if that was anything."""
    shown = background_fields(run, found)["result"]
    if shown is not None and shown != "null":
        say(f"→ {shown}")
