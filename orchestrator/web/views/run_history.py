"""The history of a run: its facts in blue and red, and the run as it was at one of them."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from orchestrator.assembly.folding import untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.time_travel import as_of
from orchestrator.core.events import Recorded
from orchestrator.core.fact_words import happened, parts, subject
from orchestrator.storage.views import RunRow
from orchestrator.web.views.run_tasks import TaskTable, task_table

PER_PAGE = 200
_LONGEST = 2_000  # characters of a fact's details; the API has all of them


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is ``event`` for what happened in a worker, ``command`` for what was decided or asked for."""

    seq: int
    at: datetime
    kind: str
    type: str
    subject: str
    details: str


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The run after one of its facts, and what it waited for then."""

    fact: FactLine
    run: RunRow
    tasks: TaskTable
    reasons: list[str]


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """``older`` and ``newer`` are the ``after`` of the pages beside this one, None where there is none."""

    facts: list[FactLine]
    after: int
    older: int | None
    newer: int | None
    past: Past | None


def run_history(home: Home, run: RunRow, after: int | None, at: int | None) -> HistoryPage:
    """The facts above ``after``, or those around ``at``, with the run as it was then; NotFoundError where there is no
    such fact.
    """
    if after is None:
        after = (max(at or 1, 1) - 1) // PER_PAGE * PER_PAGE
    numbers = home.reads.numbers(run.dag_id)
    facts = home.reads.history(run.run_key, after=after, limit=PER_PAGE) if run.run_key else []
    return HistoryPage(
        facts=[_line(fact, numbers) for fact in facts],
        after=after,
        older=max(after - PER_PAGE, 0) if after else None,
        newer=facts[-1].seq if facts and facts[-1].seq < run.last_seq else None,
        past=None if at is None else _past(home, run, at, numbers),
    )


def _past(home: Home, run: RunRow, seq: int, numbers: Mapping[int, int]) -> Past:
    then = as_of(home, run, seq, untold)
    return Past(
        fact=_line(then.fact, numbers),
        run=then.run,
        tasks=task_table(then.tasks),
        reasons=[reason.sentence for reason in then.reasons],
    )


def _line(fact: Recorded, numbers: Mapping[int, int]) -> FactLine:
    details = "  ".join(part for part in parts(fact.event, numbers) if part)
    return FactLine(
        seq=fact.seq,
        at=fact.at,
        kind="event" if happened(fact.event) else "command",
        type=type(fact.event).__name__,
        subject=subject(fact.event),
        details=details if len(details) <= _LONGEST else f"{details[:_LONGEST]}…",
    )
