"""Following a run until it ends, and a request until it is dealt with."""

import time
from collections.abc import Callable
from datetime import UTC, datetime

from orchestrator.assembly.heartbeats import last_beats
from orchestrator.assembly.home import Home
from orchestrator.assembly.offspring import Offspring
from orchestrator.assembly.settling import scheduler_is_there, settle
from orchestrator.assembly.standstill import standstill
from orchestrator.cli import rows
from orchestrator.cli.output import Format, show_object
from orchestrator.cli.progress import progress
from orchestrator.cli.render.console import remark, say
from orchestrator.cli.render.run_view import RunView
from orchestrator.core.requests import AnyRequest
from orchestrator.exceptions import ConflictError, NotFoundError
from orchestrator.names import TaskState
from orchestrator.storage.views import RunRow, Verdict

__all__ = ["follow", "scheduler_is_there", "show_verdict", "submit"]

_LOOK_SECONDS = 0.1
_SHARE_OF_TIME = 9  # a run that takes long to read is read so rarely that this takes a tenth of the time
_QUIET_SECONDS = 1.0  # without news of a run, before it is asked whether there will be any


def follow(
    home: Home, run: RunRow, view: RunView, pause: Callable[[float], None] = time.sleep, *, to_the_end: bool = True
) -> RunRow:
    """Show how the run goes on until it has ended; the run at its end. ``pause`` lets some seconds pass.

    Unless it is followed ``to_the_end``, also until it is blocked, or waits for nothing but runs below it that are:
    then it may wait for a person for ever.
    """
    home.be_patient(view.remark)
    seen, activities, quiet_since = -1, home.reads.tasks(run), 0.0
    offspring = Offspring(home, run.run_key)
    with view:
        while True:
            began = time.monotonic()
            if run.last_seq != seen:
                seen, activities, quiet_since = run.last_seq, home.reads.tasks(run), began
            beats = last_beats(home, run.run_key, (one for one in activities if one.state is TaskState.RUNNING))
            children = offspring.look(run.last_seq)
            view.show(progress(run, activities, children, beats), datetime.now(UTC))
            if run.is_ended or (run.blocked is not None and not to_the_end):
                return run
            may_stand = not to_the_end and children and began - quiet_since > _QUIET_SECONDS
            if may_stand and standstill(home, run) is not None:
                return run
            pause(max(_LOOK_SECONDS, _SHARE_OF_TIME * (time.monotonic() - began)))
            run, was_pending = _look_again(home, run), run.is_pending
            if was_pending:
                offspring = Offspring(home, run.run_key)


def _look_again(home: Home, run: RunRow) -> RunRow:
    if not run.is_pending:
        return home.reads.run_by_key(run.run_key)
    try:
        return home.reads.run(run.dag_id, run.run_id)
    except NotFoundError:
        refusal = home.reads.request(run.request_id).refusal
        raise ConflictError(refusal or f"run {run.run_id!r} of DAG {run.dag_id!r} was deleted") from None


def submit(home: Home, request: AnyRequest) -> Verdict:
    """Leave a request and wait a while until the scheduler has dealt with it; ConflictError says why it was refused.

    Where no scheduler runs the request is kept, and a remark says so.
    """
    verdict = settle(home, request)
    if verdict is Verdict.PENDING and scheduler_is_there(home):
        remark("The scheduler has not come to it yet; it is kept and will be done.")
    elif verdict is Verdict.PENDING:
        remark("No scheduler is running; this is kept and done when one starts: orchestrator standalone")
    return verdict


def show_verdict(request: AnyRequest, verdict: Verdict, sentence: str, output: Format) -> None:
    """What became of a request: on a table's place the sentence, once it is carried out."""
    if output is not Format.TABLE:
        show_object(rows.request_row(request, verdict), output)
    elif verdict is Verdict.CARRIED_OUT:
        say(sentence)
