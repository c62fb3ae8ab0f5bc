"""``orchestrator tasks test``."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import click
import msgspec
from msgspec.structs import replace

from orchestrator.assembly.home import Home, open_home
from orchestrator.assembly.orders import order_of_new_run
from orchestrator.assembly.payloads import open_payloads
from orchestrator.assembly.rehearsal import run_alone
from orchestrator.assembly.stage import staged
from orchestrator.assembly.typed_json import read_object
from orchestrator.cli import edge
from orchestrator.cli.dates import read_date
from orchestrator.cli.journal import show_task_logs
from orchestrator.cli.lookup import require_task
from orchestrator.cli.options import dag_argument, map_index_option, task_argument
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.printable import printable
from orchestrator.cli.rehearsal import manual_run, prints_beside, require_dag
from orchestrator.cli.render.console import out
from orchestrator.config import Config
from orchestrator.core.forms import choices, form_of
from orchestrator.core.orders import Completed, Deferred, Failed, Order, Skipped
from orchestrator.exceptions import NotFoundError, SchemaVersionError
from orchestrator.names import TaskState
from orchestrator.storage.views import Outcome

_LOOKED_AT = 20  # recorded runs, the latest first
Row = dict[str, Any]


@click.command("test")
@dag_argument
@task_argument
@click.argument("date", metavar="[DATE]", required=False)
@click.option("-l", "--logical-date", metavar="DATE", help="The same as the argument DATE; now by default.")
@click.option("-c", "--conf", default="{}", metavar="JSON", help="The run's input: a JSON object.")
@map_index_option
@output_option
def test(
    dag_id: str,
    task_id: str,
    date: str | None,
    logical_date: str | None,
    conf: str,
    map_index: int,
    output: Format,
) -> None:
    """Run one task in this process, and record nothing.

    The DAG file is read as it is now. Results that the task takes are those of the latest run that has recorded
    them. What the task does is real. Exits 0 unless it fails; it is not tried again.

    \b
    Example:
      orchestrator tasks test order_1001 charge_card --conf '{"amount": 42}'
    """
    config = edge.config()
    written = logical_date or date
    at = read_date(written, config) if written else datetime.now(UTC)
    request = manual_run(dag_id, at, read_object(conf, "--conf"))
    with staged(config) as stage:
        require_dag(stage, dag_id)
        spec = stage.reads.spec(stage.reads.dag(dag_id).version_id)
        require_task(spec, task_id)
        order = order_of_new_run(stage, request, task_id, map_index)
        order = replace(order, inputs=_results(config, dag_id, task_id, spec.task(task_id).inputs), payloads={})
        row = _run(config, stage, order, output)
    _show(row, output)
    click.get_current_context().exit(1 if row["state"] is TaskState.FAILED else 0)


def _run(config: Config, stage: Home, order: Order, output: Format) -> Row:
    show_task_logs()
    began = datetime.now(UTC)
    with prints_beside(output):
        report = run_alone(config, stage, order)
    row = {"task_id": order.key.task_id, "state": TaskState.FAILED, "duration": (report.at - began).total_seconds()}
    match report:
        case Completed():
            result = _loaded(stage, Outcome(value=report.result, payload=report.payload))
            return row | {"state": TaskState.SUCCESS, "result": result, "skips": report.skip}
        case Skipped():
            return row | {"state": TaskState.SKIPPED, "reason": report.reason}
        case Failed():
            return row | {"reason": report.failure.message, "traceback": report.failure.frames}
        case Deferred() if (form := form_of(report.trigger)) is not None:
            return row | {"state": TaskState.AWAITING_INPUT, "reason": f"asks {form.subject!r} ({choices(form)})"}
        case _:
            return row | {"reason": "it did not come to its end"}


def _show(row: Row, output: Format) -> None:
    if output is Format.TABLE:
        for line in row.pop("traceback", ()):
            out().print(f"  {printable(line)}", style="dim", markup=False)
    show_object(row, output)


def _results(config: Config, dag_id: str, task_id: str, wanted: Iterable[str]) -> dict[str, msgspec.Raw]:
    """The recorded results that the task takes, all of one run; NotFoundError where no run has them."""
    needed = list(wanted)
    if not needed:
        return {}
    try:
        with open_home(config) as home:
            for run in home.reads.runs(dag_id, limit=_LOOKED_AT):
                if (found := _of_run(home, run.run_key, needed)) is not None:
                    return found
    except SchemaVersionError as error:
        raise NotFoundError(f"{_lacking(task_id, needed)}: {error}") from None
    raise NotFoundError(f"{_lacking(task_id, needed)}; run it first with `orchestrator dags trigger {dag_id} --wait`")


def _of_run(home: Home, run_key: int, needed: list[str]) -> dict[str, msgspec.Raw] | None:
    try:
        return {name: _loaded(home, home.reads.result(run_key, name)) for name in needed}
    except NotFoundError:
        return None


def _lacking(task_id: str, needed: list[str]) -> str:
    return f"task {task_id!r} takes the result of {', '.join(needed)}, and no run has recorded that"


def _loaded(home: Home, outcome: Outcome) -> msgspec.Raw:
    if outcome.payload is not None:
        return msgspec.Raw(open_payloads(home.config).get(outcome.payload))
    return outcome.value
