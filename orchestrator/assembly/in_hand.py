"""Runs of DAGs that are in hand: objects of this process, recorded on a stage."""

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from sqlalchemy import Engine

from orchestrator.assembly.given_vault import Given, GivenVault
from orchestrator.assembly.hand import Hand
from orchestrator.assembly.home import Home
from orchestrator.assembly.rehearsal import Rehearsal
from orchestrator.assembly.scheduler import settings_of
from orchestrator.assembly.stage import bare, staged_blue, staged_worker
from orchestrator.authoring.passing_time import RealTime, Time
from orchestrator.authoring.vault import current_vault, keep_vault
from orchestrator.config import Config
from orchestrator.core.orders import Order
from orchestrator.engine.scheduler import Scheduler
from orchestrator.executors.inline import InlineExecutor
from orchestrator.executors.inline_replayer import InlineReplayer
from orchestrator.executors.inline_triggerer import InlineTriggerer
from orchestrator.names import QuarantineMode
from orchestrator.ports import Clock, HistoryStore, Triggerer
from orchestrator.storage.catalog import SqlCatalog
from orchestrator.storage.history import SqlHistoryStore
from orchestrator.storage.projections import SqlProjections

Around = Callable[[Order], AbstractContextManager[object]]


_ANY_CLASS = ("*",)  # what is read back was written by this very process


class CatalogInHand(SqlCatalog):
    """A catalog whose versions all lie in the folder that their author wrote them in."""

    def __init__(self, engine: Engine, folder: Path, clock: Clock) -> None:
        super().__init__(engine, folder, clock)
        self._code = str(folder)

    def code(self, version_id: int) -> str:  # noqa: ARG002 - there is one
        return self._code


class Stage:
    """The DAGs in hand on a home of their own, which outlives each of the schedulers that are made for it."""

    def __init__(
        self, config: Config, home: Home, hand: Hand, time: Time, given: Given, notice: Callable[[str], None]
    ) -> None:
        self.home = home
        self.time = time
        self._config = config
        self._hand = hand
        self._given = given
        self._vault = current_vault()
        self._notice = notice
        self._catalog = CatalogInHand(home.engine, hand.folder, time)
        self._catalog.record([hand.parsed(home.config)])
        for dag_id in hand.dags:
            home.records.set_paused(dag_id, True, by="test")

    def scheduler(
        self,
        around: Around = nullcontext,
        make_store: Callable[[HistoryStore], HistoryStore] = lambda store: store,
        triggerer: Triggerer | None = None,
        let_through: tuple[type[BaseException], ...] = (),
        **settings: Any,
    ) -> Scheduler:
        """A new one, whose activities and workflows run in this process, in the main thread. ``settings`` are others of
        the engine's than the home has.
        """
        home, load = self.home, self._hand.load
        worker = replace(staged_worker(self._config, home), allowed_classes=_ANY_CLASS)
        before = current_vault()
        scheduler = Scheduler(
            store=make_store(SqlHistoryStore(home.engine)),
            projections=SqlProjections(home.engine),
            catalog=self._catalog,
            executor=InlineExecutor(worker, self.time, load, around, let_through),
            replayer=self._replayer() if self._hand.has_workflows else None,
            triggerer=triggerer or InlineTriggerer(self.time),
            clock=self.time,
            settings=replace(settings_of(home.config), **settings),
            notice=self._notice,
        )
        if self._given:
            keep_vault(GivenVault(self._given, current_vault()))
        self._vault = keep_vault(before)
        return scheduler

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """Inside, the code of this process reads the variables and connections of the stage."""
        before = keep_vault(self._vault)
        try:
            yield
        finally:
            self._vault = keep_vault(before)

    def _replayer(self) -> InlineReplayer:
        settings = replace(staged_blue(self._config, self.home), allowed_classes=_ANY_CLASS)
        if not self._hand.is_file:  # there is no source to tell by what it imports
            settings = replace(settings, quarantine=QuarantineMode.ERROR)
        return InlineReplayer(settings, self.time, notice=self._notice, load=self._hand.load)


@contextlib.contextmanager
def on_stage(config: Config, hand: Hand, time: Time, given: Given, notice: Callable[[str], None]) -> Iterator[Stage]:
    """The DAGs in hand with the settings of ``config``."""
    with bare(config, time) as home:
        yield Stage(config, home, hand, time, given, notice)


@contextlib.contextmanager
def rehearse_in_hand(config: Config, hand: Hand, given: Given, *, notice: Callable[[str], None]) -> Iterator[Rehearsal]:
    """As ``rehearse``, of DAGs in hand."""
    with on_stage(config, hand, RealTime(), given, notice) as stage:
        scheduler = stage.scheduler()
        with stage.reading():
            scheduler.start()
            try:
                yield Rehearsal(stage.home, scheduler)
            finally:
                scheduler.stop()
