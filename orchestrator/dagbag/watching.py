"""Watching the roots: what changed below them, as soon as it is quiet again for a tenth of a second."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path

import watchfiles
from watchfiles.main import FileChange

from orchestrator.dagbag.discovery import IGNORE_FILE
from orchestrator.dagbag.parsers import Stop
from orchestrator.dagbag.roots import PLUGINS, Roots

log = logging.getLogger(__name__)

TICK_SECONDS = 1
_STEP_MS = 100
_DEBOUNCE_MS = 400
_BLIND_TICKS = 5


def watch(roots: Roots, stop: Stop) -> Iterator[set[str]]:
    """The relative names that changed, in sets; an empty one for every second in which nothing did.

    Ends when ``stop`` is set, and when it is time to look at everything: a folder has come, gone or been replaced, or
    the system cannot watch, which is logged.
    """
    places = _places(roots)
    folders = [str(folder) for folder, _ in roots if folder.is_dir()]
    if places[0] is None:
        yield from _blindly(stop)
        return
    try:
        for changes in watchfiles.watch(
            *folders,
            watch_filter=None,
            debounce=_DEBOUNCE_MS,
            step=_STEP_MS,
            stop_event=stop,
            rust_timeout=TICK_SECONDS * 1000,
            yield_on_timeout=True,
            ignore_permission_denied=True,
        ):
            names = _names(roots, changes)
            if names or not changes:
                yield names
            if _places(roots) != places:
                return
    except (OSError, RuntimeError) as error:
        log.warning("%s cannot be watched (%s), so it is looked at every few seconds", roots.folder, error)
        yield from _blindly(stop)


def _blindly(stop: Stop) -> Iterator[set[str]]:
    for _ in range(_BLIND_TICKS):
        ends_at = time.monotonic() + TICK_SECONDS
        while time.monotonic() < ends_at:
            if stop.is_set():
                return
            time.sleep(_STEP_MS / 1000)
        yield set()


def _names(roots: Roots, changes: set[FileChange]) -> set[str]:
    """The names that matter; a path that has none may be one under another spelling, and stands for itself."""
    found = {roots.name(path) or path for _, path in changes}
    return {name for name in found if _matters(name)}


def _matters(name: str) -> bool:
    parts = name.removeprefix(f"{PLUGINS}/").lstrip("/").split("/")
    if parts[-1] == IGNORE_FILE:
        parts.pop()
    return not any(part.startswith((".", "__pycache__")) for part in parts)


def _places(roots: Roots) -> list[tuple[int, int] | None]:
    """Which folders these are on disk, whatever their paths are; None for one that is not there."""
    return [_place(folder) for folder, _ in roots]


def _place(folder: Path) -> tuple[int, int] | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return (status.st_dev, status.st_ino)
