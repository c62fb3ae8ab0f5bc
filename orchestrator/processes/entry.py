"""Entry: what a process of this program runs; and the two ends of starting one."""

from collections.abc import Sequence
from pkgutil import resolve_name
from typing import Any, Protocol

import msgspec


class Entry(msgspec.Struct, frozen=True):
    """``target``, as ``module:function``, is called with ``arguments`` and, after them, with the numbers of the
    descriptors that the process is started with. What it returns is the exit status, None for 0.

    ``environment`` is what the process sees besides that of whoever starts it.
    """

    target: str
    arguments: tuple[Any, ...] = ()
    environment: dict[str, str] = {}

    @property
    def title(self) -> str:
        """What a list of processes calls it: its module and its words."""
        words = [word for each in self.arguments for word in (each if isinstance(each, (list, tuple)) else [each])]
        return " ".join(map(str, [self.target.partition(":")[0], *words]))

    def run(self, files: Sequence[int]) -> int:
        return resolve_name(self.target)(*self.arguments, *files) or 0


class Process(Protocol):
    """A process that was started; ``subprocess.Popen`` is one."""

    def wait(self, timeout: float | None = None) -> int:
        """Its exit status once it has ended, below 0 for a signal; subprocess.TimeoutExpired after ``timeout`` s."""

    def kill(self) -> None:
        """SIGKILL, unless it has ended."""


class Origin(Protocol):
    """Where processes come from. Each leads a session of its own, and inherits standard output and error."""

    def start(self, entry: Entry, *, stdin: int | None = None, files: Sequence[int] = ()) -> Process:
        """Start what ``entry`` says, with ``stdin`` (nothing to read unless given) and ``files``, which stay open here
        too. OSError where the system has no room for another process.
        """
