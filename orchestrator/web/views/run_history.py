"""The history of a run: its facts in blue and red, and the run as it was at one of them."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

from orchestrator.assembly.folding import untold
from orchestrator.assembly.home import Home
from orchestrator.assembly.time_travel import as_of, require_seq
from orchestrator.core.events import Recorded
from orchestrator.core.fact_words import HAPPENED, happened, parts, subject
from orchestrator.storage.views import RunRow
from orchestrator.web.views.run_tasks import TaskTable, task_table

PER_PAGE = 200
PARTS = 400
_FAILURES = ("ActivityFailed", "ActivityLost")
_LONGEST = 4_000  # characters of a fact's details; the API has all of them


class FactLine(msgspec.Struct, frozen=True, kw_only=True):
    """``kind`` is ``event`` for what happened in a worker, ``command`` for what was decided or asked for."""

    seq: int
    at: datetime
    kind: str
    type: str
    subject: str
    details: str


class Strip(msgspec.Struct, frozen=True, kw_only=True):
    """A whole history in equal parts: of each, how many facts are commands, events, and failures among these."""

    last: int
    parts: list[tuple[int, int, int]]


class Then(msgspec.Struct, frozen=True, kw_only=True):
    """The run as it was, and what it waited for."""

    run: RunRow
    tasks: TaskTable
    reasons: list[str]


class Past(msgspec.Struct, frozen=True, kw_only=True):
    """The run after one of its facts; ``body`` is the fact as it is recorded, JSON. ``next_failure``: the seq of the
    first failure after it. ``then`` is None where it is still to be asked for, since that takes long.
    """

    fact: FactLine
    body: str
    next_failure: int | None
    then: Then | None


class HistoryPage(msgspec.Struct, frozen=True, kw_only=True):
    """``older`` and ``newer`` are the ``after`` of the pages beside this one, None where there is none."""

    facts: list[FactLine]
    after: int
    older: int | None
    newer: int | None
    past: Past | None


def run_history(home: Home, run: RunRow, after: int | None, at: int | None, *, is_late: bool = False) -> HistoryPage:
    """The facts above ``after``, or those around ``at``, with the run as it was then, unless that ``is_late``;
    NotFoundError where there is no such fact.
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
        past=None if at is None else _past(home, run, at, numbers, is_late=is_late),
    )


def history_strip(home: Home, run: RunRow) -> Strip:
    """One question, whatever the length."""
    count = min(run.last_seq, PARTS)
    parts = [[0, 0, 0] for _ in range(count)]
    for share in home.reads.shares(run.run_key, parts=count, last=run.last_seq) if count else ():
        parts[share.part][share.type in HAPPENED] += share.number
        parts[share.part][2] += share.number if share.type in _FAILURES else 0
    return Strip(last=run.last_seq, parts=[(commands, events, failed) for commands, events, failed in parts])


def _past(home: Home, run: RunRow, seq: int, numbers: Mapping[int, int], *, is_late: bool) -> Past:
    fact = home.reads.facts_at(run.run_key, [require_seq(run, seq)])[seq]
    failures = home.reads.stored(run.run_key, after=seq, types=_FAILURES, limit=1)
    return Past(
        fact=_line(fact, numbers),
        body=_short(msgspec.json.format(msgspec.json.encode(fact.event), indent=2).decode()),
        next_failure=failures[0].seq if failures else None,
        then=None if is_late else _then(home, run, seq),
    )


def _then(home: Home, run: RunRow, seq: int) -> Then:
    then = as_of(home, run, seq, untold)
    return Then(run=then.run, tasks=task_table(then.tasks), reasons=[reason.sentence for reason in then.reasons])


def _line(fact: Recorded, numbers: Mapping[int, int]) -> FactLine:
    details = "  ".join(part for part in parts(fact.event, numbers) if part)
    return FactLine(
        seq=fact.seq,
        at=fact.at,
        kind="event" if happened(fact.event) else "command",
        type=type(fact.event).__name__,
        subject=subject(fact.event),
        details=_short(details),
    )


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
