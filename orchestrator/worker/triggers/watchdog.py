"""Watchdog: names the trigger that does not let the others run."""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from orchestrator.core.waits import Wait
from orchestrator.dagbag.blame import authors_frames
from orchestrator.dagbag.roots import Roots

_LOUDER = 20.0  # times the patience after which one that still blocks is told of, and each time twice as long

Who = Callable[["asyncio.Task[object] | None"], Wait | None]
Say = Callable[[Wait | None, str], object]


class _Step(NamedTuple):
    """What the loop is at: a task, for whom that waits, if it is a trigger's own, and a file:line."""

    task: Any
    wait: Wait | None
    where: str


class Watchdog(threading.Thread):
    """Asks the loop, again and again, whether it gets around to anything.

    ``who`` finds the wait of a task; ``say`` hears sentences, in this thread.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, patience: float, who: Who, say: Say) -> None:
        super().__init__(name="orchestrator-watchdog", daemon=True)
        self._loop = loop
        self._patience = patience
        self._who = who
        self._say = say
        self._of_loop = threading.get_ident()

    def run(self) -> None:
        while True:
            since, beat = time.monotonic(), threading.Event()
            try:
                self._loop.call_soon_threadsafe(beat.set)
            except RuntimeError:  # it is closed
                return
            if not beat.wait(self._patience):
                self._blocked(since, beat)
            time.sleep(self._patience / 2)

    def _blocked(self, since: float, beat: threading.Event) -> None:
        """Wait until it is over, and tell of it, if it is one step of one trigger and not the sum of many."""
        at, is_one = self._at(), False
        told_at = self._patience * _LOUDER
        while not beat.wait(self._patience / 4):
            now_at = self._at()
            is_one = now_at.task is at.task
            if not is_one:
                at, since = now_at, time.monotonic()
            elif time.monotonic() - since > told_at:
                told_at *= 2
                self._tell(at, f"blocks all other triggers for {time.monotonic() - since:.0f} s now")
        if is_one and time.monotonic() - since > self._patience:
            self._tell(at, f"has blocked all other triggers for {time.monotonic() - since:.1f} s")

    def _at(self) -> _Step:
        """What runs, at its innermost line that is an author's, or else anybody's."""
        task = asyncio.current_task(self._loop)
        wait = self._who(task)
        frame = sys._current_frames().get(self._of_loop)  # noqa: SLF001 - there is no other way to see another thread
        stack = list(traceback.walk_stack(frame)) if frame is not None else []
        frames = authors_frames(reversed(stack), Roots(Path(wait.code))) if wait is not None else []
        if frames:
            return _Step(task, wait, f"{frames[-1].name}:{frames[-1].line}")
        place = f"{stack[0][0].f_code.co_filename}:{stack[0][1]}" if stack else "an unknown place"
        return _Step(task, wait, place)

    def _tell(self, at: _Step, what: str) -> None:
        name = "a trigger" if at.wait is None else f"the trigger {at.wait.trigger.classpath} of {_of(at.wait)}"
        self._say(at.wait, f"{name} {what}, at {at.where}; have it await there, or move the call to asyncio.to_thread")


def _of(wait: Wait) -> str:
    index = "" if wait.key.map_index < 0 else f" [{wait.key.map_index}]"
    return f"task {wait.key.task_id!r}{index} in run {wait.run_id!r} of DAG {wait.dag_id!r}"
