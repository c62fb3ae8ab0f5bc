"""Comparing two recorded runs: reads both, and shows both sides of what differs."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import msgspec

from orchestrator.assembly.folding import Tell, folded, plans_of
from orchestrator.assembly.home import Home
from orchestrator.core.comparison import Outline, Pair, Side, pairs
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    OutcomeResolved,
    Recorded,
)
from orchestrator.core.particulars import PayloadRef
from orchestrator.core.runs import Plans
from orchestrator.core.traces import Trace, divergence
from orchestrator.storage.views import RunRow

_LONGEST = 200


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """One run's half of a difference; ``duration`` in seconds. ``result`` and ``input`` are JSON, shortened, and there
    only where they differ."""

    state: str
    attempts: int
    duration: float | None
    result: str | None = None
    input: str | None = None


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """An activity that is not the same in both runs; None for the run that has nothing of it."""

    task_id: str
    map_index: int
    differs: tuple[str, ...]
    a: Shown | None
    b: Shown | None


class Compared(msgspec.Struct, frozen=True, kw_only=True):
    """Two runs side by side. ``run`` are the fields of the runs themselves that differ, both; ``counts`` how many
    activities are alike, differ, or are in one run only. ``diverge`` are the first facts that say something else.
    """

    run: dict[str, tuple[Any, Any]]
    counts: dict[str, int]
    differences: list[Difference]
    diverge: tuple[Recorded | None, Recorded | None] | None

    @property
    def is_same(self) -> bool:
        """Whether nothing differs but when it happened, where, and by which version."""
        return not self.differences and self.diverge is None


def compared(home: Home, one: RunRow, other: RunRow, tell: Tell) -> Compared:
    """Fold both and compare; ``tell`` is told how many facts are read, of how many."""
    total = one.last_seq + other.last_seq
    plans = plans_of(home)
    trace_a = Trace()
    a = _read(home, one, plans, trace_a, lambda done, _: tell(done, total))
    trace_b = Trace(beside=trace_a)
    b = _read(home, other, plans, trace_b, lambda done, _: tell(one.last_seq + done, total))
    counts = Counter(alike=0, different=0, only_a=0, only_b=0)
    found: list[Pair] = []
    for pair in pairs(a, b):
        counts[_kind(pair)] += 1
        if pair.differs:
            found.append(pair)
    return Compared(
        run=_of_runs(home, one, other),
        counts=dict(counts),
        differences=_shown(home, one, other, found),
        diverge=_diverge(home, one, other, divergence(trace_a, trace_b)),
    )


def _kind(pair: Pair) -> str:
    if pair.one is None or pair.other is None:
        return "only_b" if pair.one is None else "only_a"
    return "different" if pair.differs else "alike"


def _read(home: Home, run: RunRow, plans: Plans, trace: Trace, tell: Tell) -> Outline:
    """One after the other, so that only one of them is in memory as a whole."""
    return Outline(folded(home, run, tell=tell, hear=trace.hear, plans=plans), trace)


def _of_runs(home: Home, one: RunRow, other: RunRow) -> dict[str, tuple[Any, Any]]:
    sides: list[dict[str, Any]] = [
        {
            "dag_id": run.dag_id,
            "state": run.state,
            "version": run.version_number,
            "conf": msgspec.json.decode(home.reads.conf(run)),
            "logical_date": run.logical_date,
            "duration": run.duration,
            "reason": run.reason,
        }
        for run in (one, other)
    ]
    return {name: (sides[0][name], sides[1][name]) for name in sides[0] if sides[0][name] != sides[1][name]}


def _diverge(
    home: Home, one: RunRow, other: RunRow, seqs: tuple[int | None, int | None] | None
) -> tuple[Recorded | None, Recorded | None] | None:
    if seqs is None:
        return None
    return _fact(home, one, seqs[0]), _fact(home, other, seqs[1])


def _fact(home: Home, run: RunRow, seq: int | None) -> Recorded | None:
    return None if seq is None else home.reads.facts_at(run.run_key, [seq])[seq]


# ── both sides of a value ────────────────────────────────────────────────────────────────────────────────


def _shown(home: Home, one: RunRow, other: RunRow, found: Sequence[Pair]) -> list[Difference]:
    texts_a = _texts(home, one, [(pair.one, pair.differs) for pair in found])
    texts_b = _texts(home, other, [(pair.other, pair.differs) for pair in found])
    return [
        Difference(
            task_id=pair.task_id,
            map_index=pair.map_index,
            differs=pair.differs,
            a=_half(pair.one, texts_a),
            b=_half(pair.other, texts_b),
        )
        for pair in found
    ]


def _half(side: Side | None, texts: dict[int, str]) -> Shown | None:
    if side is None:
        return None
    return Shown(
        state=side.state,
        attempts=side.attempts,
        duration=None if side.duration is None else side.duration.total_seconds(),
        result=texts.get(side.result),
        input=texts.get(side.input),
    )


def _texts(home: Home, run: RunRow, sides: Sequence[tuple[Side | None, tuple[str, ...]]]) -> dict[int, str]:
    """The values that differ, as shortened JSON by the seq of their fact."""
    seqs = [side.result for side, differs in sides if side is not None and "result" in differs]
    seqs += [side.input for side, differs in sides if side is not None and "input" in differs]
    facts = home.reads.facts_at(run.run_key, [seq for seq in seqs if seq])
    return {seq: _text(fact) for seq, fact in facts.items()}


def _text(fact: Recorded) -> str:
    match fact.event:
        case ActivityCompleted() | OutcomeResolved() | ActivityRequested() as event if event.payload is not None:
            return _size(event.payload)
        case ActivityCompleted() | OutcomeResolved() as event:
            return _short(event.result)
        case ActivityRequested() as event:
            return _short(event.input)
        case _:
            return ""


def _size(payload: PayloadRef) -> str:
    return f"({payload.size} bytes, SHA-256 {payload.sha256[:12]}…)"


def _short(value: msgspec.Raw) -> str:
    text = bytes(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
