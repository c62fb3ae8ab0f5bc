"""Heartbeats: the folder that keeps what each activity said last, for the next attempt and for whoever looks."""

import contextlib
import logging
import os
from datetime import datetime
from pathlib import Path

import msgspec

from orchestrator.core.particulars import NULL

MAX_PROGRESS_BYTES = 64 * 1024

_MOST_SHOWN = 80  # characters of a progress in a sentence

logger = logging.getLogger("orchestrator")


class LastBeat(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When an activity said last that it was alive, in which attempt, and its progress as ``core.values`` writes it."""

    at: datetime
    attempt: int
    progress: msgspec.Raw = NULL

    @property
    def in_short(self) -> str:
        """The progress for a sentence; empty where there is none."""
        text = "" if self.progress == NULL else bytes(self.progress).decode()
        return text if len(text) <= _MOST_SHOWN else f"{text[:_MOST_SHOWN]}…"


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(LastBeat).decode


class Heartbeats:
    """One file for each activity, at the ``progress`` of its orders. Every file appears whole or not at all.

    Nothing is synced to the disk: what was kept outlives every process, but the last beats may not outlive the power.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, place: str, beat: LastBeat) -> None:
        """Put this in the place of what was kept before; OSError where that is impossible."""
        path = self._folder / place
        draft = path.with_name(f"{path.name}.{os.getpid()}")
        data = _encode(beat)
        try:
            draft.write_bytes(data)
        except FileNotFoundError:
            path.parent.mkdir(parents=True, exist_ok=True)
            draft.write_bytes(data)
        draft.replace(path)

    def last(self, place: str) -> LastBeat | None:
        """What was kept last; None if nothing, or nothing that can be read."""
        path = self._folder / place
        try:
            return _decode(path.read_bytes()) if place else None
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (OSError, ValueError) as error:
            logger.warning("the progress in %s cannot be read and counts as none: %s", path, error)
            return None

    def of_run(self, run_key: int) -> frozenset[str]:
        """The places of those of a run's activities of which something is kept."""
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            return frozenset(f"{run_key}/{path.name}" for path in (self._folder / str(run_key)).iterdir())
        return frozenset()

    def remove(self, place: str) -> None:
        """Forget the activity: it has succeeded. What cannot be removed goes with its run."""
        with contextlib.suppress(OSError):
            (self._folder / place).unlink()
