"""The runs of a DAG as a table."""

from datetime import UTC, datetime, timedelta

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.names import RunState, RunType
from orchestrator.storage.views import RunRow

PER_PAGE = 50
_LAST_DAY = datetime(9999, 12, 30, tzinfo=UTC)


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs; empty fields leave none out. ``since`` and ``until`` are dates as a browser sends them, in UTC;
    or moments, the latter of which is left out.
    """

    state: str = ""
    type: str = ""
    since: str = ""
    until: str = ""
    before: int | None = None

    @property
    def first(self) -> datetime | None:
        return _moment(self.since)

    @property
    def last(self) -> datetime | None:
        """A day counts to its end, a moment up to before it."""
        until = _moment(self.until)
        if until is None:
            return None
        return min(until, _LAST_DAY) + timedelta(days=_is_day(self.until), microseconds=-1)

    @property
    def is_exact(self) -> bool:
        """Whether they are moments, which no field for days holds."""
        return any(text and _moment(text) and not _is_day(text) for text in (self.since, self.until))

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
    found = home.reads.runs(
        dag_id,
        states=[RunState(wanted.state)] if wanted.state in set(RunState) else (),
        types=[RunType(wanted.type)] if wanted.type in set(RunType) else (),
        since=wanted.first,
        until=wanted.last,
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


def _moment(text: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _is_day(text: str) -> bool:
    return len(text) == len("2026-01-01")
