"""LiveHome: a real orchestrator with all its processes, in a folder of its own, to be started, killed and looked at.

Needs psutil (the extra ``testing``). For tests of your own DAGs that have to survive a crash.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import msgspec
import psutil

from orchestrator.assembly.home import Home, open_home
from orchestrator.config import load_config
from orchestrator.exceptions import OrchestratorError

T = TypeVar("T")

_POLL_SECONDS = 0.02
_PROGRAM = "import sys; from orchestrator.cli import main; sys.exit(main())"


class LiveHomeError(OrchestratorError, AssertionError):
    """What was waited for did not come, or a command failed; the message carries what the processes said."""


class LiveHome:
    """A home folder and the processes that work on it; every one of them ends with the ``with`` block.

    ``settings`` are ``{"section.key": value}``, ``environment`` what the processes are given besides. Its pages are
    served on any port that is free, unless the settings say which.
    """

    def __init__(
        self, folder: Path, *, settings: Mapping[str, object] = {}, environment: Mapping[str, str] = {}
    ) -> None:
        self.folder = folder.resolve()
        self.dags = self.folder / "dags"
        self.dags.mkdir(parents=True, exist_ok=True)
        self.log = self.folder / "processes.log"
        self._settings = {_variable(name): str(value) for name, value in ({"api.port": 0} | dict(settings)).items()}
        self._environment = dict(environment)
        self._leaders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    # ── what it is given ─────────────────────────────────────────────────────────────────────────────────

    @property
    def environment(self) -> dict[str, str]:
        """What every process of this home sees."""
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("ORCHESTRATOR_")}
        return {**inherited, **self._settings, **self._environment, "ORCHESTRATOR_HOME": str(self.folder)}

    def command(self, *arguments: str) -> list[str]:
        """The command line of the program, for a process with this ``environment``."""
        return [sys.executable, "-c", _PROGRAM, *arguments]

    def write_dag(self, name: str, source: str) -> Path:
        """Put a file into ``dags/`` the way an editor does: all at once."""
        path = self.dags / name
        draft = path.with_suffix(".draft")
        draft.write_text(source, encoding="utf-8")
        draft.replace(path)
        return path

    # ── its processes ────────────────────────────────────────────────────────────────────────────────────

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start ``orchestrator standalone``, or the ``command`` given; returns at once."""
        with self.log.open("ab") as log:
            leader = subprocess.Popen(
                self.command(*(command or ("standalone",))),
                cwd=self.folder,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._leaders.append(leader)
        return leader

    def processes(self) -> list[psutil.Process]:
        """Every living process of this home, whoever its parent is by now."""
        found: dict[int, psutil.Process] = {}
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if process.environ().get("ORCHESTRATOR_HOME") == str(self.folder) and process.pid != os.getpid():
                    found[process.pid] = process
                    found |= {child.pid: child for child in process.children(recursive=True)}
        return [process for process in found.values() if _is_alive(process)]

    def kill(self) -> int:
        """SIGKILL to every process, as a power cut would; how many there were."""
        killed: set[int] = set()
        while living := self.processes():
            for process in living:
                killed.add(process.pid)
                with contextlib.suppress(psutil.Error):
                    process.send_signal(signal.SIGKILL)
            while any(_is_alive(process) for process in living):
                time.sleep(_POLL_SECONDS / 10)
        self._reap()
        return len(killed)

    def stop(self, timeout: float = 30) -> None:
        """SIGTERM to what was started, and wait until every process is gone."""
        asked, self._leaders = self._leaders, []
        for leader in asked:
            leader.send_signal(signal.SIGTERM)
        self.wait_for("the processes end after SIGTERM", lambda: not self.processes(), timeout=timeout)
        for leader in asked:
            leader.wait()

    def _reap(self) -> None:
        for leader in self._leaders:
            leader.wait()
        self._leaders.clear()

    def open(self) -> Home:
        """Its database, opened in this process, for what a command's start would be too slow for."""
        return open_home(load_config(self.environment, self.folder))

    def lists(self, dag_id: str) -> bool:
        """Whether that DAG is in its catalog by now; no command is started to ask."""
        with contextlib.suppress(OrchestratorError), self.open() as home:
            return bool(home.reads.dag(dag_id).dag_id)
        return False

    # ── what it says ─────────────────────────────────────────────────────────────────────────────────────

    def run(self, *arguments: str, timeout: float = 60) -> subprocess.CompletedProcess[str]:
        """One command of the CLI in a process of its own, whatever its exit status."""
        return subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def ask(self, *arguments: str, timeout: float = 60) -> Any:
        """What a command says with ``-o json``; LiveHomeError if it fails."""
        done = self.run(*arguments, "-o", "json", timeout=timeout)
        if done.returncode != 0:
            raise LiveHomeError(f"orchestrator {' '.join(arguments)} exited {done.returncode}: {done.stderr.strip()}")
        return msgspec.json.decode(done.stdout)

    def wait_for(self, what: str, condition: Callable[[], T | None], *, timeout: float = 30) -> T:
        """The first true value of ``condition``; LiveHomeError, with what the processes said, after ``timeout``, or as
        soon as something that was started has ended by itself.
        """
        deadline = time.monotonic() + timeout
        while not (value := condition()):
            if time.monotonic() > deadline:
                raise LiveHomeError(f"within {timeout:g} s it did not happen that {what}{self._last_words()}")
            for leader in self._leaders:
                if leader.poll() is not None:
                    raise LiveHomeError(f"a process exited {leader.returncode} before {what}{self._last_words()}")
            time.sleep(_POLL_SECONDS)
        return value

    def _last_words(self) -> str:
        said = self.log.read_text(encoding="utf-8", errors="replace")[-4000:] if self.log.exists() else ""
        return f"; the processes said last:\n{said}" if said else ""


def _variable(setting: str) -> str:
    section, _, key = setting.partition(".")
    return f"ORCHESTRATOR__{section.upper()}__{key.upper()}"


def _is_alive(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
