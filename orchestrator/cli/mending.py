"""``orchestrator tasks clear`` and ``resolve``: running tasks again, and answering for them."""

import click

from orchestrator.assembly.clearing import Place, clearing_of
from orchestrator.assembly.home import Home
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.cli import rows
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_activity, find_run, require_task, spec_version
from orchestrator.cli.options import (
    confirm,
    dag_argument,
    map_index_option,
    run_argument,
    task_argument,
    task_ids,
    who,
    with_home,
    yes_option,
)
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.core.particulars import NULL
from orchestrator.core.requests import ResolveTask
from orchestrator.exceptions import ConflictError, NotFoundError, UsageError
from orchestrator.names import UNMAPPED, TaskState
from orchestrator.storage.views import RunRow


@click.command("clear")
@dag_argument
@click.argument("words", metavar="[TASK]... [RUN]", nargs=-1, shell_complete=task_ids)
@click.option("--map-index", type=click.IntRange(min=0), help="Which one of a mapped task; all by default.")
@click.option("-d", "--downstream", is_flag=True, help="Also all tasks that wait for these.")
@click.option("-u", "--upstream", is_flag=True, help="Also all tasks that these wait for.")
@click.option("-f", "--only-failed", is_flag=True, help="Of these only what is failed or upstream_failed.")
@click.option("--same-version", is_flag=True, help="Run the code that the run began with, not the latest.")
@click.option("--same-key", is_flag=True, help="Keep the idempotency keys.")
@yes_option
@output_option
@with_home
def clear(
    home: Home,
    dag_id: str,
    words: tuple[str, ...],
    map_index: int | None,
    downstream: bool,
    upstream: bool,
    only_failed: bool,
    same_version: bool,
    same_key: bool,
    yes: bool,
    output: Format,
) -> None:
    """Forget the outcome of tasks, so that they run again.

    Without a TASK all tasks of the run are meant; without a RUN the latest run is. What runs just now is stopped and
    started again. The setups that a task needs are cleared with it, and so are their teardowns.

    \b
    Example:
      orchestrator tasks clear weather_report validate --downstream -y
      orchestrator tasks clear weather_report --only-failed -y
    """
    run, named = _run_and_tasks(home, dag_id, words)
    places = [(task_id, map_index) for task_id in named]
    if not named and map_index is not None:
        places = [(task.task_id, map_index) for task in home.reads.spec(spec_version(home, run)).tasks]
    request = clearing_of(
        home,
        run,
        places,
        upstream=upstream,
        downstream=downstream,
        only_failed=only_failed,
        same_version=same_version,
        same_key=same_key,
        by=who(),
    )
    places = list(request.tasks)
    confirm(f"Run {_listed(places)} of {run.run_id} again?", yes=yes)
    verdict = submit(home, request)
    if output is Format.TABLE:
        show_verdict(request, verdict, f"Cleared {_listed(places)} of {run.run_id}.", output)
    else:
        cleared = [{"task_id": task_id, "map_index": index} for task_id, index in places]
        show_object(rows.request_row(request, verdict) | {"cleared": cleared}, output)


def _run_and_tasks(home: Home, dag_id: str, words: tuple[str, ...]) -> tuple[RunRow, list[str]]:
    """The last word is the run if it is no task of the DAG."""
    spec = home.reads.spec(home.reads.dag(dag_id).version_id)
    if not words or words[-1] in {task.task_id for task in spec.tasks}:
        return find_run(home, dag_id, None), list(words)
    try:
        return find_run(home, dag_id, words[-1]), list(words[:-1])
    except NotFoundError:
        require_task(spec, words[-1])
        raise


def _listed(places: list[Place]) -> str:
    names = list(dict.fromkeys(task_id for task_id, _ in places))
    return ", ".join(names) if len(names) <= 5 else f"{len(names)} tasks"


@click.command("resolve")
@dag_argument
@task_argument
@run_argument
@map_index_option
@click.option("--success", "result", metavar="JSON", help="It happened, and this is its result.")
@click.option("--retry", is_flag=True, help="It did not happen: try again, with the same idempotency key.")
@click.option("--fail", is_flag=True, help="It is to count as failed.")
@output_option
@with_home
def resolve(
    home: Home,
    dag_id: str,
    task_id: str,
    run_id: str | None,
    map_index: int,
    result: str | None,
    retry: bool,
    fail: bool,
    output: Format,
) -> None:
    """Say what became of a task whose outcome is unknown.

    A task with delivery at_most_once waits as awaiting_input where its worker died while it ran: only a person can
    find out whether its effect happened. Give exactly one of --success, --retry and --fail.

    \b
    Example:
      orchestrator tasks resolve order_1001 charge_card --success '{"receipt": "ch_1"}'
      orchestrator tasks resolve order_1001 charge_card --retry
    """
    if [result is not None, retry, fail].count(True) != 1:
        raise UsageError("give exactly one of --success JSON, --retry and --fail")
    run = find_run(home, dag_id, run_id)
    activity = find_activity(home, run, task_id, map_index)
    if activity.state is not TaskState.AWAITING_INPUT:
        name = task_id if map_index == UNMAPPED else f"{task_id}[{map_index}]"
        raise ConflictError(f"task {name} of {run.run_id} is {activity.state} and awaits no answer")
    if activity.asked_seq is not None:
        raise ConflictError(
            f"task {task_id} of {run.run_id} asks a question; answer it with `orchestrator tasks answer`"
        )
    request = ResolveTask(
        dag_id=dag_id,
        run_id=run.run_id,
        task_id=task_id,
        map_index=map_index,
        state=TaskState.SUCCESS if result is not None else TaskState.FAILED if fail else TaskState.NONE,
        result=NULL if result is None else raw(read_json(result, "--success")),
        by=who(),
    )
    answer = "success" if result is not None else "failed" if fail else "to be tried again"
    show_verdict(request, submit(home, request), f"Resolved {task_id} of {run.run_id}: {answer}.", output)
