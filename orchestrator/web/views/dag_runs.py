"""The runs of a DAG as a table."""

from datetime import UTC, datetime, timedelta

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.names import RunState, RunType
from orchestrator.storage.views import RunRow

PER_PAGE = 50


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; empty fields leave none out. ``since`` and ``until`` are dates as a browser sends them, in UTC."""

    state: str = ""
    type: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None

    def values(self, **changes: object) -> dict[str, object]:
        """For the address of another page: the newest runs, unless ``before`` says otherwise."""
        return msgspec.structs.asdict(self) | {"before": ""} | changes


class RunTable(msgspec.Struct, frozen=True, kw_only=True):
    """``counts`` are of all runs of the DAG, by state; ``older`` is where the next page begins."""

    wanted: RunsWanted
    runs: list[RunRow]
    counts: dict[str, int]
    older: int | None
    types: list[str]


def dag_runs(home: Home, dag_id: str, wanted: RunsWanted) -> RunTable:
    """What is no state, type or date leaves nothing out."""
    until = _date(wanted.until)
    found = home.reads.runs(
        dag_id,
        states=[RunState(wanted.state)] if wanted.state in set(RunState) else (),
        types=[RunType(wanted.type)] if wanted.type in set(RunType) else (),
        since=_date(wanted.since),
        until=None if until is None else until + timedelta(days=1, microseconds=-1),
        before_key=wanted.before,
        limit=PER_PAGE + 1,
    )
    counts = home.reads.run_counts(dag_id).get(dag_id, {})
    runs = found[:PER_PAGE]
    return RunTable(
        wanted=wanted,
        runs=runs,
        counts={state.value: counts.get(state, 0) for state in RunState} | {"all": sum(counts.values())},
        older=runs[-1].run_key if len(found) > PER_PAGE else None,
        types=[kind.value for kind in RunType],
    )


def _date(text: str) -> datetime | None:
    try:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)
    except ValueError:
        return None
