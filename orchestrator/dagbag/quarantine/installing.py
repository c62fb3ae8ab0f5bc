"""Puts the quarantine's eyes into a process; they see nothing until a Fence stands."""

import _thread
import sys
import threading
from functools import partial
from types import FrameType
from typing import Any

from orchestrator.dagbag.quarantine import clients, clocks
from orchestrator.dagbag.quarantine.effects import Kind
from orchestrator.dagbag.quarantine.events import EVENTS, is_write
from orchestrator.dagbag.quarantine.fence import standing
from orchestrator.dagbag.quarantine.free import free_folders, is_free
from orchestrator.dagbag.quarantine.guards import Watched, guard
from orchestrator.dagbag.quarantine.late import AfterImport

_THREAD = Watched(Kind.THREAD, lambda *_, **__: "starts a thread")


_installed: set[str] = set()


def _see(event: str, arguments: tuple[Any, ...]) -> None:
    """Python's audit hook: raising here keeps what was announced from happening."""
    known = EVENTS.get(event)
    if known is None or (event == "open" and not is_write(arguments)):
        return
    kind, describe = known
    fence = standing(kind)
    if fence is not None:
        frame = sys._getframe(1)  # noqa: SLF001 - inspect.stack() costs milliseconds
        is_library = kind is Kind.LIBRARY  # packages load theirs when they need them; not the author's affair
        fence.meet(
            kind,
            _caller(frame) if is_library else frame,
            lambda: describe(arguments, partial(is_free, roots=fence.roots)),
            is_direct=is_library,
        )


def _caller(frame: FrameType | None) -> FrameType | None:
    """Who calls ctypes."""
    while frame is not None and frame.f_globals.get("__name__") == "ctypes":
        frame = frame.f_back
    return frame


def install(*, workflows: bool = False) -> None:
    """Make this process able to stand behind a Fence; once said it stays so, and its children have it too.

    ``workflows``: also see clocks, randomness and the environment, which only a fence of Scene.WORKFLOW minds. Said
    before any of the author's code is loaded.
    """
    if "events" not in _installed:
        _installed.add("events")
        free_folders()
        sys.addaudithook(_see)
        _guard_threads()
        AfterImport(clients.amendments()).install()
    if workflows and "clocks" not in _installed:
        _installed.add("clocks")
        clocks.install()
        AfterImport(clocks.amendments()).install()


def _guard_threads() -> None:
    """Before Python 3.12 no audit event tells of a thread's start."""
    for module in (_thread, threading):
        for name in ("start_new_thread", "start_new", "_start_new_thread"):
            guard(module, name, _THREAD)
