"""A database that goes away at random, and an executor whose reports come twice, late and out of order."""

import random
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from orchestrator.core.events import Recorded
from orchestrator.core.orders import Deferred, Order, Report
from orchestrator.exceptions import StorageUnavailableError
from orchestrator.names import AttemptKey
from orchestrator.ports import Clock, Group, HistoryStore
from orchestrator.testing.sim_executor import Script, SimExecutor


class Weather:
    """How rough it is; nothing goes wrong any more once ``is_rough`` is False."""

    def __init__(self, dice: random.Random, *, outage_rate: float, noise: float) -> None:
        self.dice = dice
        self.is_rough = True
        self._outage_rate = outage_rate
        self._noise = noise

    def strikes(self) -> bool:
        return self.is_rough and self.dice.random() < self._outage_rate

    def garbles(self) -> bool:
        return self.is_rough and self.dice.random() < self._noise


class RoughStore:
    """A HistoryStore that is away at random: before a commit, right after one (so that nobody hears of it), at a read.

    ``look`` is shown each group that was written.
    """

    def __init__(self, store: HistoryStore, weather: Weather, look: Callable[[Group], None]) -> None:
        self._store = store
        self._weather = weather
        self._look = look

    def claim(self, owner: str) -> None:
        self._store.claim(owner)

    def renew(self) -> None:
        self._may_fail()
        self._store.renew()

    def release(self) -> None:
        self._store.release()

    def reserve_run_keys(self, count: int) -> range:
        self._may_fail()
        return self._store.reserve_run_keys(count)

    def commit(self, group: Group) -> frozenset[int]:
        self._may_fail()
        refused = self._store.commit(group)
        self._look(group)
        self._may_fail()
        return refused

    def read(self, run_key: int, *, after: int = 0, limit: int | None = None) -> list[Recorded]:
        return self._store.read(run_key, after=after, limit=limit)

    def facts(self, run_key: int, seqs: Sequence[int]) -> dict[int, Recorded]:
        self._may_fail()
        return self._store.facts(run_key, seqs)

    def _may_fail(self) -> None:
        if self._weather.strikes():
            raise StorageUnavailableError("the database is away")


class RoughExecutor(SimExecutor):
    """Says things twice and in another order, and speaks of what nobody asked for."""

    def __init__(
        self, clock: Clock, script: Callable[[Order], Script], weather: Weather, *, outlives: bool = False
    ) -> None:
        super().__init__(clock, script, outlives=outlives)
        self._weather = weather
        self._old: list[Report] = []

    def cancel(self, keys: Sequence[AttemptKey]) -> None:
        """Some bodies do not heed it: they go on as if nothing had been said, and are lost at their end."""
        deaf = {key for key in keys if key in self._work and self._work[key].began and self._weather.garbles()}
        for key in deaf:
            self._work[key].script = msgspec.structs.replace(self._work[key].script, outcome="lost")
        super().cancel([key for key in keys if key not in deaf])

    def reports(self) -> list[Report]:
        """What is new, now and then shuffled, with an old report said again; for each key in order all the same,
        but for what is said again."""
        fresh = super().reports()
        if fresh and self._weather.garbles():
            self._weather.dice.shuffle(fresh)
            fresh = _in_order_for_each_key(fresh)
        said = list(fresh)
        if self._old and self._weather.garbles():
            said.insert(self._weather.dice.randrange(len(said) + 1), self._weather.dice.choice(self._old))
        # A later piece of an attempt bears its number: which of them is said to be put off, nobody could tell.
        self._old = (self._old + [report for report in fresh if not isinstance(report, Deferred)])[-50:]
        return said


def _in_order_for_each_key(reports: list[Report]) -> list[Report]:
    """The same reports; those of one key in order of their moments."""
    by_key: dict[AttemptKey, list[Report]] = {}
    for report in sorted(reports, key=_moment_and_rank):
        by_key.setdefault(report.key, []).append(report)
    return [by_key[report.key].pop(0) for report in reports]


def _moment_and_rank(report: Report) -> tuple[datetime, bool]:
    return report.at, type(report).__name__ != "Started"
