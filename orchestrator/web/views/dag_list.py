"""The list of DAGs: filtered, sorted, and a page of it with the last runs of each."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.rights import Right
from orchestrator.core.schedule_words import schedule_in_words
from orchestrator.names import RunState
from orchestrator.storage.views import DagRow
from orchestrator.web.views.bars import Bar, bars
from orchestrator.web.views.dues import due_next, is_late

PER_PAGE = 50


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody looks for; empty fields leave nothing out. ``on`` is active or paused, ``last`` the state of the
    latest run.
    """

    q: str = ""
    tag: str = ""
    owner: str = ""
    on: str = ""
    last: str = ""
    sort: str = "name"
    down: bool = False
    page: int = 1

    def values(self, **changes: object) -> dict[str, object]:
        """For the address of another list: from its first page on."""
        return msgspec.structs.asdict(self) | {"page": "", "sort": self.sort if self.sort != "name" else ""} | changes


class DagLine(msgspec.Struct, frozen=True, kw_only=True):
    """One DAG in the list. ``due`` is when its schedule wants it next; ``is_late``: that moment is over."""

    dag: DagRow
    title: str
    schedule: str
    due: datetime | None
    is_late: bool
    bars: list[Bar]
    last: Bar | None
    is_broken: bool
    may_edit: bool
    may_trigger: bool


class DagList(msgspec.Struct, frozen=True, kw_only=True):
    """A page of the DAGs. ``counts`` are by ``on`` and by ``last``, before either is looked at."""

    wanted: Wanted
    lines: list[DagLine]
    total: int
    known: int
    counts: dict[str, int]
    tags: list[tuple[str, int]]
    owners: list[str]
    pages: int

    @property
    def first(self) -> int:
        return (self.wanted.page - 1) * PER_PAGE + 1


def dag_list(home: Home, wanted: Wanted, now: datetime) -> DagList:
    """A few questions, whatever the number of DAGs."""
    everything = [dag for dag in home.reads.dags() if not dag.is_stale]
    states = home.reads.last_states()
    fitting = [dag for dag in everything if _fits(dag, wanted)]
    counts = _counts(fitting, states)
    found = _sorted([dag for dag in fitting if _is_on(dag, states, wanted)], states, wanted)
    pages = max(1, -(-len(found) // PER_PAGE))
    wanted = msgspec.structs.replace(wanted, page=min(max(1, wanted.page), pages))
    start = (wanted.page - 1) * PER_PAGE
    tags = Counter(tag for dag in everything for tag in dag.header.tags)
    return DagList(
        wanted=wanted,
        lines=_lines(home, found[start : start + PER_PAGE], now),
        total=len(found),
        known=len(everything),
        counts=counts,
        tags=sorted(tags.items()),
        owners=sorted({dag.header.owner for dag in everything}),
        pages=pages,
    )


def _lines(home: Home, dags: Sequence[DagRow], now: datetime) -> list[DagLine]:
    ids = [dag.dag_id for dag in dags]
    runs, cursors = home.reads.last_runs(ids), home.reads.cursors()
    broken = {error.file for error in home.reads.import_errors()}
    lines = []
    for dag in dags:
        shown, due = bars(runs.get(dag.dag_id, ()), now), due_next(dag, cursors.get(dag.dag_id), now)
        lines.append(
            DagLine(
                dag=dag,
                title=dag.header.display_name or dag.dag_id,
                schedule=schedule_in_words(dag.header),
                due=due,
                is_late=is_late(due, now),
                bars=shown,
                last=shown[-1] if shown else None,
                is_broken=dag.header.file in broken,
                may_edit=home.who.may(Right.EDIT, dag.dag_id),
                may_trigger=home.who.may(Right.TRIGGER, dag.dag_id),
            )
        )
    return lines


def _fits(dag: DagRow, wanted: Wanted) -> bool:
    header = dag.header
    if wanted.tag and wanted.tag not in header.tags:
        return False
    if wanted.owner and wanted.owner != header.owner:
        return False
    words = wanted.q.casefold().split()
    text = " ".join((dag.dag_id, header.display_name or "", header.description or "", header.owner, *header.tags))
    return all(word in text.casefold() for word in words)


def _is_on(dag: DagRow, states: dict[str, RunState], wanted: Wanted) -> bool:
    if wanted.on and dag.is_paused is not (wanted.on == "paused"):
        return False
    state = states.get(dag.dag_id)
    return not wanted.last or (state is not None and _word(state) == wanted.last)


def _word(state: RunState) -> str:
    """Runs that wait and runs that go on are one to who looks for what is going on."""
    return RunState.RUNNING.value if state is RunState.QUEUED else state.value


def _counts(dags: Sequence[DagRow], states: dict[str, RunState]) -> dict[str, int]:
    counts = Counter("paused" if dag.is_paused else "active" for dag in dags)
    counts.update(_word(states[dag.dag_id]) for dag in dags if dag.dag_id in states)
    return dict(counts) | {"all": len(dags)}


def _sorted(dags: list[DagRow], states: dict[str, RunState], wanted: Wanted) -> list[DagRow]:
    if wanted.sort == "last":
        order = [RunState.RUNNING, RunState.QUEUED, RunState.FAILED, RunState.SUCCESS, None]
        dags = sorted(dags, key=lambda dag: order.index(states.get(dag.dag_id)))
    return dags[::-1] if wanted.down else dags
