"""Pulse: a few bytes that a blue process shares with its replayer, which looks at them when no word comes."""

import mmap
import os
import struct
import tempfile
from typing import NamedTuple

_LAYOUT = struct.Struct("<QQd?")


class Sign(NamedTuple):
    """What the process is at. ``beats`` rises whenever it does something; it is stuck when that has not risen for
    ``patience`` seconds. ``run_key`` is of the run whose code it runs, or loads; 0 where it runs none.
    """

    beats: int
    run_key: int
    patience: float
    is_loading: bool


class Pulse:
    """One process's. ``file`` is a descriptor that ``open_pulse`` gave, which both sides have."""

    def __init__(self, file: int) -> None:
        self._memory = mmap.mmap(file, _LAYOUT.size)
        self._run_key = 0
        self._patience = 0.0
        self._is_loading = False
        self._beats = 0

    def begin(self, run_key: int, patience: float, *, is_loading: bool = False) -> None:
        """From here on the code of that run has the process."""
        self._run_key, self._patience, self._is_loading = run_key, patience, is_loading
        self.beat()

    def end(self) -> None:
        """No author's code has it."""
        self._run_key = 0
        self.beat()

    def beat(self) -> None:
        self._beats += 1
        _LAYOUT.pack_into(self._memory, 0, self._beats, self._run_key, self._patience, self._is_loading)

    def sign(self) -> Sign:
        """As it is now; for the replayer."""
        return Sign(*_LAYOUT.unpack_from(self._memory))

    def close(self) -> None:
        self._memory.close()


def open_pulse() -> int:
    """A descriptor of memory that can be shared, through a file without a name."""
    with tempfile.TemporaryFile() as file:
        file.truncate(_LAYOUT.size)
        return os.dup(file.fileno())
