"""Standalone: every part of a home in one command. The dag processor, and the processes in which plugins listen, are
children that never outlive this process.
"""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence

from orchestrator.assembly.listening import listeners
from orchestrator.assembly.scheduler import run_scheduler
from orchestrator.config import Config

_RESTART_SECONDS = 1.0
_END_SECONDS = 5.0
_CHILD = "import sys; from orchestrator.cli import main; sys.exit(main([*sys.argv[1:], '--while-stdin-is-open']))"


def run_standalone(
    config: Config, *, notice: Callable[[str], None], on_ready: Callable[[], None] = lambda: None
) -> None:
    """Read DAG files and schedule until SIGTERM or SIGINT. The database must be there, with today's schema."""
    config.core.dags_folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as beside:
        beside.enter_context(_beside(config, notice, "the dag processor", "dag-processor"))
        for card in listeners(config):
            what = f"the listener of the plugin {card.name!r}"
            beside.enter_context(_beside(config, notice, what, "listener", card.name))
        run_scheduler(config, notice=notice, on_ready=on_ready)


@contextlib.contextmanager
def _beside(config: Config, notice: Callable[[str], None], what: str, *words: str) -> Iterator[None]:
    """A command beside this process, started again should it die; ``what`` it is, to a person."""
    keeper = _Keeper(config, notice, what, words)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Waits for the end of its child, which is not supposed to come before ``stop``."""

    def __init__(self, config: Config, notice: Callable[[str], None], what: str, words: Sequence[str]) -> None:
        super().__init__(name=f"keeper of {what}", daemon=True)
        self._what = what
        self._words = words
        self._config = config
        self._notice = notice
        self._stopping = threading.Event()
        self._child = self._start_child()

    def run(self) -> None:
        while True:
            status = self._child.wait()
            if self._stopping.is_set():
                return
            self._notice(f"{self._what} ended with status {status} and is started again")
            if self._stopping.wait(_RESTART_SECONDS):
                return
            self._child = self._start_child()

    def stop(self) -> None:
        """End the child by closing the input that it listens to; by force if it does not heed that."""
        self._stopping.set()
        if self._child.stdin is not None:
            self._child.stdin.close()
        self.join(_END_SECONDS)
        if self.is_alive():
            self._child.kill()
            self.join()

    def _start_child(self) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(
            [sys.executable, "-c", _CHILD, *self._words],
            stdin=subprocess.PIPE,
            env={**os.environ, "ORCHESTRATOR_HOME": str(self._config.home)},
            start_new_session=True,
        )
