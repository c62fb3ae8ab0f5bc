"""``orchestrator runs fork``."""

import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click
import msgspec

from orchestrator.assembly.candidates import keep_candidate, laid_out, parse_candidate
from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.fitting import blocked
from orchestrator.assembly.fork_names import free_name
from orchestrator.assembly.home import Home
from orchestrator.assembly.prospects import UNRECORDED, Prospects, place_of
from orchestrator.assembly.triggering import checked_run_id
from orchestrator.assembly.typed_json import raw, read_json
from orchestrator.cli import rows
from orchestrator.cli.choosing import chosen_version, version_options
from orchestrator.cli.consequences import effect_row, question, tell_effects, tell_findings
from orchestrator.cli.following import show_verdict, submit
from orchestrator.cli.lookup import find_run
from orchestrator.cli.options import confirm, dag_argument, run_argument, task_ids, who, with_home, yes_option
from orchestrator.cli.output import Format, output_option, show_object
from orchestrator.cli.render.console import remark
from orchestrator.core.activations import Block
from orchestrator.core.effects import Effect
from orchestrator.core.events import Recorded
from orchestrator.core.requests import Edit, ForkRun
from orchestrator.core.taking_over import Past
from orchestrator.exceptions import NotFoundError, UsageError
from orchestrator.names import DagKind
from orchestrator.ports import ParsedDag, ParsedFile
from orchestrator.storage.views import Verdict


@click.command("fork")
@dag_argument
@run_argument
@click.option("--at", type=int, metavar="SEQ", help="Take over what was recorded up to this fact.")
@click.option(
    "--before", metavar="TASK", shell_complete=task_ids, help="Take over what was recorded before this task began."
)
@click.option("--set", "edits", multiple=True, metavar="TASK=JSON", help="Another result; may be given several times.")
@click.option(
    "--code",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Execute the DAG of this file, which stays as it is.",
)
@version_options
@click.option("-r", "--run-id", "name", help="The new run's id; that of the old one and ~1, ~2, … by default.")
@click.option("--note", help="A remark that is kept with the new run.")
@click.option("--same-key", is_flag=True, help="Keep the idempotency keys.")
@yes_option
@output_option
@with_home
def fork(
    home: Home,
    dag_id: str,
    run_id: str | None,
    at: int | None,
    before: str | None,
    edits: tuple[str, ...],
    code: Path | None,
    latest: bool,
    version: int | None,
    name: str | None,
    note: str | None,
    same_key: bool,
    yes: bool,
    output: Format,
) -> None:
    """Start a new run that takes over what another had recorded.

    The activities that had ended by then keep their results, or get those of --set; all others run. What they have
    done outside in the old run would happen again: it is listed first. The old run stays as it is.

    \b
    Example:
      orchestrator runs fork order_1001 --before reserve_inventory -y
      orchestrator runs fork order_1001 --at 7 --set 'charge_card={"order": 1001, "amount": 41, "currency": "USD"}' -y
    """
    run = find_run(home, dag_id, run_id)
    candidate = None if code is None else _candidate(home, dag_id, code, is_alone=not latest and version is None)
    prospects = Prospects(home, run, None if candidate is None else candidate[1].spec)
    past = prospects.past(prospects.seq(at, before))
    request = ForkRun(
        dag_id=dag_id,
        run_id=free_name(home, run) if name is None else checked_run_id(name),
        run_uid=uuid.uuid4().hex,
        source=run.run_id,
        seq=past.until.seq,
        edits=tuple(_edits(prospects, past, edits)),
        same_key=same_key,
        version_id=UNRECORDED if candidate else chosen_version(home, dag_id, latest=latest, version=version),
        note=note,
        by=who(),
    )
    effects = _agreed(home, _Fork(prospects, past, request, candidate), yes=yes)
    if candidate is not None:
        request = msgspec.structs.replace(request, version_id=keep_candidate(home, *candidate))
    _show(request, submit(home, request), effects, output)


class _Fork(NamedTuple):
    """What is asked for, and what it is asked of."""

    prospects: Prospects
    past: Past
    request: ForkRun
    candidate: tuple[ParsedFile, ParsedDag] | None


def _agreed(home: Home, fork: _Fork, *, yes: bool) -> list[Effect]:
    """What would happen again; told to a person, who has agreed to it."""
    facts = fork.prospects.rehearse(fork.request)
    effects = _told(fork.prospects, fork.past, fork.request)
    block = _block(home, fork, facts)
    if effects or block is not None:
        confirm(question(effects, f"Fork {fork.request.source} at {fork.request.seq}"), yes=yes)
    return effects


def _show(request: ForkRun, verdict: Verdict, effects: Sequence[Effect], output: Format) -> None:
    if output is Format.TABLE:
        said = f"Forked {request.source} at {request.seq} as {request.run_id}. "
        follow = f"Follow it with: orchestrator runs watch {request.dag_id} {request.run_id!r}"
        show_verdict(request, verdict, said + follow, output)
        return
    asked = {"source": request.source, "seq": request.seq, "effects": [effect_row(effect) for effect in effects]}
    show_object(rows.request_row(request, verdict) | asked, output)


def _candidate(home: Home, dag_id: str, path: Path, *, is_alone: bool) -> tuple[ParsedFile, ParsedDag]:
    """The DAG of that id in another file."""
    if not is_alone:
        raise UsageError("give one of --code, --latest and --version")
    parsed = parse_candidate(home, path, dag_id)
    for dag in parsed.dags:
        if dag.spec.dag_id == dag_id:
            return parsed, dag
    there = ", ".join(dag.spec.dag_id for dag in parsed.dags) or "none"
    raise NotFoundError(f"{path} has no DAG {dag_id!r}; its DAGs: {there}")


def _edits(prospects: Prospects, past: Past, given: tuple[str, ...]) -> Iterator[Edit]:
    for text in given:
        name, equals, value = text.partition("=")
        if not equals or not name:
            raise UsageError(f"--set {text!r} is no result; write TASK=JSON")
        task_id, map_index = place_of(name)
        result = raw(read_json(value, f"--set {name}"))
        yield Edit(task_id=task_id, map_index=prospects.index(past, task_id, map_index), result=result)


def _block(home: Home, fork: _Fork, facts: Sequence[Recorded]) -> Block | None:
    """Why the code of a workflow could not go on with what it would begin with, told to a person."""
    version_id = fork.past.run.version_id if fork.request.version_id is None else fork.request.version_id
    spec = fork.prospects.plan(version_id).spec
    if spec.kind is not DagKind.WORKFLOW:
        return None
    script = fork.prospects.script(facts)
    if fork.candidate is None:
        block = blocked(home, spec, make_catalog(home.config, home.engine).code(version_id), script)
    else:
        with laid_out(fork.candidate[0]) as code:
            block = blocked(home, spec, code(), script)
    if block is not None:
        where = f"{block.where}: " if block.where and block.where not in block.message else ""
        remark(f"The new run would be blocked, since its code does not fit what it takes over: {where}{block.message}")
    return block


def _told(prospects: Prospects, past: Past, request: ForkRun) -> list[Effect]:
    """What would happen again, and what a person should know besides."""
    effects = prospects.effects(past, request.version_id, [(edit.task_id, edit.map_index) for edit in request.edits])
    tell_findings(prospects.doubts(past, request.version_id))
    for task_id in prospects.outdated(past, request.edits):
        remark(f"{task_id} had ended with a result that is edited, and is taken over as it is; fork before it if not.")
    tell_effects(effects)
    return effects
