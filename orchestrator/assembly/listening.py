"""A plugin's listeners, in the process that calls: it hears of every fact at least once, also after a crash."""

import threading
from collections import OrderedDict

from orchestrator.assembly.home import Home, open_home
from orchestrator.assembly.plugin_code import live_plugins
from orchestrator.assembly.plugins import roll
from orchestrator.config import Config
from orchestrator.core.events import Recorded
from orchestrator.exceptions import NotFoundError, StorageUnavailableError
from orchestrator.names import RunState
from orchestrator.nearest import did_you_mean
from orchestrator.plugins.cards import Card
from orchestrator.plugins.happenings import HeardRun
from orchestrator.plugins.plugin import Plugin
from orchestrator.plugins.telling import BEGINNINGS, followed, tell
from orchestrator.storage.feed import Feed

_PAGE = 500
_PAUSE = 0.5  # seconds until it is looked for news again
_KEPT_RUNS = 1_000


def listeners(config: Config) -> list[Card]:
    """The plugins that want to hear of what happens."""
    return roll(config).bringing("listeners")


def run_listener(config: Config, name: str, stop: threading.Event) -> None:
    """Tell the plugin of that name of every fact, until ``stop`` is set; NotFoundError where it does not listen."""
    cards = {card.name: card for card in listeners(config)}
    card = cards.get(name)
    if card is None:
        raise NotFoundError(f"no plugin {name!r} listens{did_you_mean(name, cards)}; see `orchestrator plugins list`")
    plugins = live_plugins(config)
    with plugins.active(), open_home(config) as home:
        _Listener(home, plugins.load(name, card.source)).run(stop)


class _Listener:
    """Reads facts page by page. How far it has come is written down after a page, so some are told twice after a
    crash, and none is left out.
    """

    def __init__(self, home: Home, plugin: Plugin) -> None:
        self._home = home
        self._plugin = plugin
        self._feed = Feed(home.engine, plugin.name)
        self._runs: OrderedDict[int, HeardRun] = OrderedDict()

    def run(self, stop: threading.Event) -> None:
        position = self._feed.begin()
        while not stop.is_set():
            try:
                page = self._feed.after(position, _PAGE)
                for number, run_key, fact in page:
                    if stop.is_set():
                        break
                    self._hear(run_key, fact)
                    position = number
                if page:
                    self._feed.heard(position)
            except StorageUnavailableError:
                page = []  # it is looked for again
            if len(page) < _PAGE:
                stop.wait(_PAUSE)

    def _hear(self, run_key: int, fact: Recorded) -> None:
        run = self._run(run_key, fact.seq)
        if run is not None:
            tell(self._plugin, run, fact)
            self._runs[run_key] = followed(run, fact)

    def _run(self, run_key: int, seq: int) -> HeardRun | None:
        """The run of that key as it was before that fact; None where it has been deleted since."""
        if run_key not in self._runs:
            try:
                row = self._home.reads.run_by_key(run_key)
            except NotFoundError:
                return None
            self._runs[run_key] = HeardRun(
                run_key=run_key,
                dag_id=row.dag_id,
                run_id=row.run_id,
                run_type=row.run_type,
                logical_date=row.logical_date,
                data_interval_start=row.data_interval_start,
                data_interval_end=row.data_interval_end,
                state=RunState.RUNNING if self._has_begun(run_key, seq) else RunState.QUEUED,
            )
            if len(self._runs) > _KEPT_RUNS:
                self._runs.popitem(last=False)
        return self._runs[run_key]

    def _has_begun(self, run_key: int, seq: int) -> bool:
        return self._home.reads.last_of(run_key, BEGINNINGS, until=seq - 1) > 0
