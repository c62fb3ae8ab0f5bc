"""W5: SIGKILL to every process in the middle of a chain of 200, and a start."""

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from benchmarks.figures import Figure
from benchmarks.sources import ledger_chain
from benchmarks.watch import Watch
from benchmarks.workload import Bench, start
from orchestrator.core.events import ActivityCompleted, ActivityStarted
from orchestrator.testing.home import LiveHome

LENGTH = 200
ROUNDS = 5
BUDGET = 1.5


class Round(msgspec.Struct, frozen=True, kw_only=True):
    """One kill: how many were recorded before it, run again, lost; and the seconds to the first new start."""

    recorded: int
    again: int
    lost: int
    seconds: float


def measure(bench: Bench) -> list[Figure]:
    rounds = [_round(bench, number) for number in range(2 if bench.quick else ROUNDS)]
    recorded = sum(one.recorded for one in rounds)
    return [
        _count(
            "recorded tasks that ran again",
            sum(one.again for one in rounds),
            f"{len(rounds)} kills, {recorded} recorded",
        ),
        _count("recorded results that were lost", sum(one.lost for one in rounds), ""),
        Figure(
            workload="W5",
            what="from the restart to the first new task's start, the slowest",
            measured=max(one.seconds for one in rounds),
            unit="s",
            budget=BUDGET,
        ),
    ]


def _count(what: str, count: int, note: str) -> Figure:
    return Figure(workload="W5", what=what, measured=count, unit="", budget=0, note=note)


def _round(bench: Bench, number: int) -> Round:
    with bench.home(f"round_{number}", {"row.py": ledger_chain("row", LENGTH)}) as home:
        ledger = home.folder / "ledger.txt"
        watch = start(home, "row")
        watch.trigger("row", "killed", {"ledger": str(ledger)})
        # Each round lets a different share of the chain pass.
        home.wait_for("a part of the chain is recorded", lambda: len(_lines(ledger)) >= 30 + 30 * number)
        home.kill()
        before, ran_before = _recorded(watch), Counter(_lines(ledger))
        launched_at = datetime.now(UTC)
        home.start()
        watch.ended("row", "killed")
        return _verdict(home, watch, before, ran_before, launched_at)


def _verdict(
    home: LiveHome, watch: Watch, before: dict[str, bytes], ran_before: Counter[str], launched_at: datetime
) -> Round:
    after, ran_after = _recorded(watch), Counter(_lines(home.folder / "ledger.txt"))
    first = min(
        fact.at
        for fact in watch.history("row", "killed")
        if isinstance(fact.event, ActivityStarted) and fact.at > launched_at
    )
    return Round(
        recorded=len(before),
        again=sum(ran_after[name] != ran_before[name] for name in before),
        lost=sum(after.get(name) != result for name, result in before.items()) + LENGTH - len(after),
        seconds=(first - launched_at).total_seconds(),
    )


def _recorded(watch: Watch) -> dict[str, bytes]:
    events = (fact.event for fact in watch.history("row", "killed"))
    return {event.task_id: bytes(event.result) for event in events if isinstance(event, ActivityCompleted)}


def _lines(ledger: Path) -> list[str]:
    return ledger.read_text().splitlines() if ledger.exists() else []
