"""Folding: a recorded run as it is, or as it was after one of its facts."""

from collections.abc import Callable, Iterator
from functools import cache

from orchestrator.assembly.home import Home
from orchestrator.core.events import Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import Plans, replay
from orchestrator.storage.views import RunRow

_TELL_EVERY = 1_000

Tell = Callable[[int, int], None]


def untold(_done: int, _total: int) -> None:
    """Nobody wants to hear of the progress."""


def folded(
    home: Home,
    run: RunRow,
    *,
    until: int | None = None,
    tell: Tell = untold,
    hear: Callable[[Recorded], None] | None = None,
    plans: Plans | None = None,
) -> Run:
    """The run after its fact ``until``, or as it was when ``run`` was read; in memory of the state, not of the history.

    ``tell`` is told how many facts are folded, of how many; ``hear`` is given each fact. ``plans`` may be shared by
    several runs.
    """
    last = run.last_seq if until is None else until

    def facts() -> Iterator[Recorded]:
        return home.reads.facts(run.run_key, until=last)

    return replay(run.run_key, _heard(facts(), last, tell, hear), plans or plans_of(home), again=facts)


def plans_of(home: Home) -> Plans:
    """The plan of a version, read once."""
    return cache(lambda version_id: Plan(home.reads.spec(version_id), version_id))


def _heard(
    facts: Iterator[Recorded], last: int, tell: Tell, hear: Callable[[Recorded], None] | None
) -> Iterator[Recorded]:
    for fact in facts:
        if hear is not None:
            hear(fact)
        if fact.seq % _TELL_EVERY == 0:
            tell(fact.seq, last)
        yield fact
    tell(last, last)
