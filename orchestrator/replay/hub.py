"""Hub: lets the strands of one workflow run, one at a time, first come first served, until none can go on."""

from asyncio.events import _get_running_loop, _set_running_loop
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

from greenlet import getcurrent, greenlet

from orchestrator.authoring.blue import Future
from orchestrator.replay.strand import Evicted, Strand

_PATIENCE = 100  # times that code which catches everything is told to end, before it is left where it stands
_left: list[Strand] = []


class Hub:
    """``loop`` stands where code looks for a running event loop.

    ``is_over``: nothing of the code goes on. ``reading`` is what may ask for nothing, while that runs.
    """

    def __init__(self, loop: Any) -> None:
        self.current: Strand | None = None
        self.is_over = False
        self.is_in_code = False
        self.reading: str | None = None
        self.strands: dict[Strand, None] = {}
        self._ready: deque[Strand] = deque()
        self._conditions: dict[Strand, str | None] = {}
        self._stirred = False
        self._hungry: tuple[Strand, Callable[[], bool]] | None = None
        self._hub: greenlet | None = None
        self._loop = loop

    # ── from outside ─────────────────────────────────────────────────────────────────────────────────────

    def add(self, what: str, run: Callable[[Strand], None]) -> Strand:
        """More code, which begins when its turn comes."""
        strand = Strand(what, run, self._wake)
        self.strands[strand] = None
        self._wake(strand)
        return strand

    def stir(self) -> None:
        """Something has come: conditions are to be looked at."""
        self._stirred = True

    def throw(self, strand: Strand, error: BaseException) -> None:
        """Raise in a strand at its wait."""
        strand.thrown = error
        self._wake(strand)

    def run(self) -> bool:
        """Let everything run that can. False: a strand wants to look further ahead before anything else goes on."""
        if self._hungry is None and not self._ready and not (self._stirred and self._conditions):
            return True
        with self.in_code():
            while not self.is_over:
                if self._hungry is not None:
                    strand, is_fed = self._hungry
                    if not is_fed():
                        return False
                    self._hungry = None
                    self._go(strand)
                elif self._ready:
                    self._stirred = True
                    self._go(self._ready.popleft())
                elif self._stirred and self._conditions:
                    self._look()
                else:
                    break
        return True

    @contextmanager
    def in_code(self) -> Iterator[None]:
        """What is called inside may be interrupted, and finds an event loop that refuses everything."""
        before, self._hub = _get_running_loop(), getcurrent()
        _set_running_loop(self._loop)
        self.is_in_code = True
        try:
            yield
        finally:
            self.is_in_code = False
            _set_running_loop(before)

    @contextmanager
    def outside(self) -> Iterator[None]:
        """What is called inside is no code of a workflow: it may run an event loop of its own."""
        _set_running_loop(None)
        try:
            yield
        finally:
            _set_running_loop(self._loop)

    @contextmanager
    def only_reading(self, what: str) -> Iterator[None]:
        """What is called inside may ask for nothing; ``what`` it is."""
        before, self.reading = self.reading, what
        try:
            yield
        finally:
            self.reading = before

    def waiting(self) -> Iterator[tuple[Strand, bool, str | None]]:
        """The strands that wait, whether for a condition, and for which signal that looks."""
        for strand in self.strands:
            if strand.has_begun and not strand.is_ready:
                yield strand, strand in self._conditions, self._conditions.get(strand)

    def close(self) -> None:
        """End every strand where it stands."""
        self.is_over = True
        self._ready.clear()
        with self.in_code():
            for strand in list(self.strands):
                if strand.has_begun:
                    self._go(strand)
                strand.unwatch()
        self.strands.clear()
        self._conditions.clear()

    # ── from inside of a strand ──────────────────────────────────────────────────────────────────────────

    def wait(self, futures: tuple[Future[Any], ...]) -> None:
        """Go on when one of these has come, unless one has."""
        strand = self.own()
        if any(future.done() for future in futures):
            return
        strand.watch(futures)
        self._park(strand)

    def wait_for_a_change(self, futures: tuple[Future[Any], ...], signal: str | None) -> None:
        """Go on when one of these has come, or when anything has: then look whether that is what is waited for."""
        strand = self.own()
        self._conditions[strand] = signal
        strand.watch(futures)
        self._park(strand)

    def look_ahead(self, is_fed: Callable[[], bool]) -> None:
        """Go on before anything else does, as soon as ``is_fed``, which is asked after each further fact."""
        strand = self.own()
        if not is_fed():
            self._hungry = strand, is_fed
            self._park(strand)

    # ── inside ───────────────────────────────────────────────────────────────────────────────────────────

    def own(self) -> Strand:
        """The strand that asks this; Evicted in it where the code is over."""
        if self.current is None:
            raise Evicted
        if self.is_over:
            self._refuse(self.current)
        return self.current

    def _refuse(self, strand: Strand) -> NoReturn:
        strand.refusals += 1
        if strand.refusals > _PATIENCE and self._hub is not None:
            _left.append(strand)
            while True:
                self._hub.switch()
        raise Evicted

    def _park(self, strand: Strand) -> None:
        assert self._hub is not None
        self._hub.switch()
        if strand.waits_for:
            strand.unwatch()
        if self._conditions:
            self._conditions.pop(strand, None)
        if self.is_over:
            self._refuse(strand)
        if strand.thrown is not None:
            error, strand.thrown = strand.thrown, None
            raise error

    def _wake(self, strand: Strand) -> None:
        if not strand.is_ready:
            strand.is_ready = True
            self._ready.append(strand)

    def _look(self) -> None:
        """Let each strand that waits for a condition look at it, once; those that go on may stir others."""
        self._stirred = False
        for strand in tuple(self._conditions):
            if self.is_over or self._hungry is not None:
                self._stirred = True
                return
            if strand in self._conditions and not strand.is_ready:
                self._go(strand)

    def _go(self, strand: Strand) -> None:
        strand.is_ready = False
        try:
            self.current = strand
            strand.go(getcurrent())
        except Evicted:
            pass
        finally:
            self.current = None
        if strand.is_dead:
            self.strands.pop(strand, None)
