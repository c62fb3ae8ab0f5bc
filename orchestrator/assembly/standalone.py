"""Standalone: every part of a home in one command. The dag processor is a child that never outlives this process."""

import contextlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

from orchestrator.assembly.scheduler import run_scheduler
from orchestrator.config import Config

_RESTART_SECONDS = 1.0
_END_SECONDS = 5.0
_CHILD = "import sys; from orchestrator.cli import main; sys.exit(main(['dag-processor', '--while-stdin-is-open']))"


def run_standalone(
    config: Config, *, notice: Callable[[str], None], on_ready: Callable[[], None] = lambda: None
) -> None:
    """Read DAG files and schedule until SIGTERM or SIGINT. The database must be there, with today's schema."""
    config.core.dags_folder.mkdir(parents=True, exist_ok=True)
    with _dag_processor(config, notice):
        run_scheduler(config, notice=notice, on_ready=on_ready)


@contextlib.contextmanager
def _dag_processor(config: Config, notice: Callable[[str], None]) -> Iterator[None]:
    """A dag processor beside this process, started again should it die."""
    keeper = _Keeper(config, notice)
    keeper.start()
    try:
        yield
    finally:
        keeper.stop()


class _Keeper(threading.Thread):
    """Waits for the end of its child, which is not supposed to come before ``stop``."""

    def __init__(self, config: Config, notice: Callable[[str], None]) -> None:
        super().__init__(name="keeper of the dag processor", daemon=True)
        self._config = config
        self._notice = notice
        self._stopping = threading.Event()
        self._child = self._start_child()

    def run(self) -> None:
        while True:
            status = self._child.wait()
            if self._stopping.is_set():
                return
            self._notice(f"the dag processor ended with status {status} and is started again")
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
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            env={**os.environ, "ORCHESTRATOR_HOME": str(self._config.home)},
            start_new_session=True,
        )
