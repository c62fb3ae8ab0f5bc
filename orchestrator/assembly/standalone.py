"""Standalone: every part of a home in one command. This process is the scheduler; the dag processor, the processes in
which plugins listen, and the one that serves pages are commands beside it that never outlive it.
"""

import contextlib
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module

from orchestrator.assembly.home import open_home
from orchestrator.assembly.listening import listeners
from orchestrator.assembly.on_demand import served_on_demand
from orchestrator.assembly.scheduler import run_scheduler
from orchestrator.assembly.vault import make_keyring
from orchestrator.config import HOME_VARIABLE, Config
from orchestrator.processes.entry import Entry, Origin, Process
from orchestrator.storage.users import has_users
from orchestrator.worker.forking import load_authoring

_SHARED = ("orchestrator.cli.dag_processor", "orchestrator.worker.zygote")
_COMMAND = "orchestrator.cli:main"
_FIRST_ADMIN = "orchestrator.cli.first_admin:make"
_RESTART_SECONDS = 1.0
_END_SECONDS = 5.0


def load_shared(config: Config) -> None:
    """Import what the processes of a home are made of, for a seed to hold.

    Also what one of them alone needs, where it is always there: an import writes to memory all over, and what a process
    writes to it shares no more.
    """
    for module in _SHARED:
        import_module(module)
    load_authoring()
    make_keyring(config).make_ready()


def run_standalone(
    config: Config,
    origin: Origin,
    *,
    notice: Callable[[str], None],
    on_ready: Callable[[], None] = lambda: None,
) -> None:
    """Read DAG files and schedule until SIGTERM or SIGINT. The database must be there, with today's schema.

    Every other process comes from ``origin``.
    """
    config.core.dags_folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as beside:
        beside.enter_context(_first_admin(config, origin))
        for what, words in _servers(config):
            beside.enter_context(_beside(config, origin, notice, what, words))
        beside.enter_context(served_on_demand(config, origin, notice))
        run_scheduler(config, notice=notice, on_ready=on_ready, origin=origin)


def _servers(config: Config) -> Iterator[tuple[str, Sequence[str]]]:
    """The commands that run beside the scheduler, each with what it is to a person.

    Each is ``orchestrator WORDS --while-stdin-is-open`` in a process of its own, which is started again should it end,
    and has to end when its standard input does. One that is always there has its module in _SHARED.
    """
    yield "the dag processor", ["dag-processor"]
    for card in listeners(config):
        yield f"the listener of the plugin {card.name!r}", ["listener", card.name]


@contextlib.contextmanager
def _first_admin(config: Config, origin: Origin) -> Iterator[None]:
    """Somebody has to be able to sign in; made elsewhere, since what passwords take would stay in memory here."""
    with open_home(config) as home:
        is_needed = not has_users(home.engine)
    making = origin.start(Entry(_FIRST_ADMIN, (), _environment(config))) if is_needed else None
    try:
        yield
    finally:
        if making is not None:
            making.wait()


@contextlib.contextmanager
def _beside(
    config: Config, origin: Origin, notice: Callable[[str], None], what: str, words: Sequence[str]
) -> Iterator[None]:
    """A command beside this process, started again should it die; ``what`` it is, to a person."""
    entry = Entry(_COMMAND, ([*words, "--while-stdin-is-open"],), _environment(config))
    keeper = _Keeper(origin, entry, notice, what)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


def _environment(config: Config) -> dict[str, str]:
    return {HOME_VARIABLE: str(config.home)}


class _Keeper(threading.Thread):
    """Waits for the end of its child, which is not supposed to come before ``stop``."""

    def __init__(self, origin: Origin, entry: Entry, notice: Callable[[str], None], what: str) -> None:
        super().__init__(name=f"keeper of {what}", daemon=True)
        self._origin = origin
        self._entry = entry
        self._notice = notice
        self._what = what
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._child = self._start_child()

    def run(self) -> None:
        while True:
            status = self._child.wait()
            if self._stopping.is_set():
                return
            self._notice(f"{self._what} ended with status {status} and is started again")
            if self._stopping.wait(_RESTART_SECONDS) or not self._restart():
                return

    def stop(self) -> None:
        """End the child by closing the input that it listens to; by force if it does not heed that."""
        with self._lock:
            self._stopping.set()
            os.close(self._leash)
        self.join(_END_SECONDS)
        if self.is_alive():
            self._child.kill()
            self.join()

    def _restart(self) -> bool:
        """Whether there is a new child, for there is none once it is stopped."""
        with self._lock:
            if self._stopping.is_set():
                return False
            os.close(self._leash)
            self._child = self._start_child()
            return True

    def _start_child(self) -> Process:
        stdin, self._leash = os.pipe()
        try:
            return self._origin.start(self._entry, stdin=stdin)
        finally:
            os.close(stdin)
