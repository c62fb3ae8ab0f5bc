"""Theatre: what stands around the code of workflows while it runs: an alarm, a sign of life, a log."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Protocol

from orchestrator.core.activations import Activation
from orchestrator.worker.blue.alarm import Alarm

_FOR_EVER = 10 * 365 * 86_400.0  # seconds


class Onlooker(Protocol):
    """Is told who has the process; ``pulse.Pulse`` is one."""

    def begin(self, run_key: int, patience: float, *, is_loading: bool = False) -> None: ...

    def beat(self) -> None: ...


class Recorder(Protocol):
    """Takes in what the code says; ``runlog.Stenographer`` is one."""

    def begin(self, run_key: int) -> None: ...

    def end(self) -> None: ...


class Nobody:
    """An onlooker and recorder where there is none: in a process that does other things as well."""

    def begin(self, run_key: int, patience: float = 0.0, *, is_loading: bool = False) -> None:
        """Nothing is noted."""

    def end(self) -> None:
        """Nothing was noted."""

    def beat(self) -> None:
        """Nothing is noted."""


class Theatre:
    """Lets code on its stage, one run at a time."""

    def __init__(self, limit: float, onlooker: Onlooker, recorder: Recorder) -> None:
        self.limit = limit
        self._onlooker = onlooker
        self._recorder = recorder
        self._alarm = Alarm(onlooker.beat)

    def enter(self, run_key: int) -> None:
        """Whatever happens from here on is that run's doing."""
        self._onlooker.begin(run_key, _patience(self.limit))

    @contextmanager
    def playing(
        self, run_key: int, progress: Callable[[], int], strike: Callable[[float, FrameType | None], None]
    ) -> Iterator[None]:
        """A stretch of that run's code; ``strike`` is called inside of it, with the limit that it has overrun."""
        limit = self.limit
        self.enter(run_key)
        self._recorder.begin(run_key)
        try:
            with self._alarm.watching(limit, progress, lambda frame: strike(limit, frame)):
                yield
        finally:
            self._recorder.end()

    @contextmanager
    def loading(
        self, activation: Activation, limit: float, strike: Callable[[FrameType | None], None]
    ) -> Iterator[None]:
        """The file of that run's code is loaded; nothing that it says is kept, as it says it in each process."""
        self._onlooker.begin(activation.run_key, _patience(limit), is_loading=True)
        with self._alarm.watching(limit, int, strike):
            yield
        self.enter(activation.run_key)


def _patience(limit: float) -> float:
    """For how long no sign of life comes from code that could be interrupted."""
    return 2 * limit + 1 if limit else _FOR_EVER
