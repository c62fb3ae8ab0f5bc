"""InlineReplayer: runs the code of workflows in this process, for `dags test` and for tests."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

from orchestrator.core.activations import Activation, Word
from orchestrator.core.events import Recorded
from orchestrator.dagbag import importing
from orchestrator.dagbag.quarantine.installing import install
from orchestrator.exceptions import UsageError
from orchestrator.ports import Clock
from orchestrator.worker.blue.repertoire import make_replays
from orchestrator.worker.blue.settings import BlueSettings
from orchestrator.worker.blue.theatre import Nobody
from orchestrator.worker.bodies import Loader

Step = Callable[[], Word | None]


class InlineReplayer:
    """One activation is answered at each ``words()``, in the main thread.

    What code prints goes where the process's output goes. ``notice`` is told of what a person should know.
    """

    def __init__(
        self,
        settings: BlueSettings,
        clock: Clock,
        *,
        notice: Callable[[str], None] = lambda _: None,
        load: Loader = importing.load,
    ) -> None:
        self._clock = clock
        self._replays = make_replays(settings, Nobody(), Nobody(), notice, load)
        self._waiting: deque[tuple[int, Step]] = deque()

    def start(self) -> None:
        """Put up the quarantine's eyes; UsageError outside of the main thread, where no alarm reaches stuck code."""
        if threading.current_thread() is not threading.main_thread():
            raise UsageError("workflows that run in this process run in its main thread only; start this from there")
        install(workflows=True)

    def activate(self, activations: Sequence[Activation]) -> None:
        for activation in activations:
            self._waiting.append((activation.run_key, partial(self._replays.activate, activation)))

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> None:
        self._waiting.append((run_key, partial(self._replays.supply, run_key, facts, is_all=is_all)))

    def forget(self, run_keys: Sequence[int]) -> None:
        self._waiting = deque(one for one in self._waiting if one[0] not in run_keys)
        self._replays.forget(run_keys)

    def words(self) -> list[Word]:
        """Go one step on."""
        if not self._waiting:
            return []
        word = self._waiting.popleft()[1]()
        return [] if word is None else [word]

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        """Now, as long as there is a step to take."""
        return self._clock.now() if self._waiting else None

    def stop(self) -> None:
        """Forget what has not run, and end all code where it stands."""
        self._waiting.clear()
        self._replays.close()
