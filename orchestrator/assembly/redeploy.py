"""Redeploy: what saving a DAG file would mean to every open run of its DAGs."""

from collections.abc import Callable
from pathlib import Path

import msgspec

from orchestrator.assembly.candidates import laid_out, parse_candidate
from orchestrator.assembly.catalog import make_catalog
from orchestrator.assembly.fitting import Fit, fit
from orchestrator.assembly.home import Home
from orchestrator.core.differences import Difference, difference
from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import NotFoundError
from orchestrator.names import NewVersion, RunState
from orchestrator.ports import ParsedDag, ParsedFile
from orchestrator.storage.views import DagRow, RunRow, VersionRow

_MANY = 1_000_000
Code = Callable[[], str]
_OPEN = (RunState.QUEUED, RunState.RUNNING)


class DagCheck(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG of the file. ``difference`` is None where the DAG is new, and where it is the version that is current.

    ``known`` is the version's number where it is recorded already.
    """

    dag_id: str
    file: str
    policy: NewVersion
    known: int | None
    difference: Difference | None
    fits: list[Fit]


def check_file(home: Home, path: Path) -> list[DagCheck]:
    """Hold the open runs of each DAG in the file against it; nothing is recorded."""
    parsed = parse_candidate(home, path)
    with laid_out(parsed) as code:
        return [_check(home, parsed, dag, code) for dag in parsed.dags]


def check_move(home: Home, run: RunRow, version_id: int) -> Fit:
    """Hold one run against a recorded version."""
    if run.version_id == version_id:
        return Fit(run=run, findings=[], is_same=True)
    catalog = make_catalog(home.config, home.engine)
    spec, number = catalog.spec(version_id), catalog.number(version_id)
    return fit(home, run, spec, lambda: catalog.code(version_id), number=number)


def open_runs(home: Home, dag_id: str) -> list[RunRow]:
    """The runs of a DAG that have a history and have not ended, oldest first."""
    found = home.reads.runs(dag_id, states=_OPEN, limit=_MANY)
    return [run for run in reversed(found) if not run.is_pending and not run.is_ended]


def _check(home: Home, parsed: ParsedFile, dag: ParsedDag, code: Code) -> DagCheck:
    versions = _versions(home, dag.spec.dag_id)
    pair = (dag.fingerprint, dag.code_fingerprint)
    known = next((one for one in versions if (one.fingerprint, one.code_fingerprint) == pair), None)
    return DagCheck(
        dag_id=dag.spec.dag_id,
        file=parsed.file,
        policy=dag.spec.on_new_version,
        known=None if known is None else known.number,
        difference=_difference(home, dag.spec, known),
        fits=[_fit(home, run, dag.spec, known, code) for run in open_runs(home, dag.spec.dag_id)],
    )


def _fit(home: Home, run: RunRow, spec: DagSpec, known: VersionRow | None, code: Code) -> Fit:
    if known is None:
        return fit(home, run, spec, code)
    return fit(home, run, spec, code, number=known.number, is_same=known.version_id == run.version_id)


def _difference(home: Home, spec: DagSpec, known: VersionRow | None) -> Difference | None:
    current = _current(home, spec.dag_id)
    if current is None or (known is not None and known.version_id == current.version_id):
        return None
    return difference(home.reads.spec(current.version_id), spec)


def _versions(home: Home, dag_id: str) -> list[VersionRow]:
    return [] if _current(home, dag_id) is None else home.reads.versions(dag_id)


def _current(home: Home, dag_id: str) -> DagRow | None:
    try:
        return home.reads.dag(dag_id)
    except NotFoundError:
        return None
