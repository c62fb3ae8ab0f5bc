"""Brood: the processes that one zygote forks, from the birth of each to its end."""

import selectors
from collections.abc import Iterator, Sequence
from itertools import count
from typing import Generic, Protocol, TypeVar

from orchestrator.exceptions import WorkerStartError
from orchestrator.executors.nursery import Nursery

_DEATH_NEWS = 1.0  # seconds to wait for the zygote's word on a process that has hung up
_MOST_STILLBIRTHS = 5
_BACK_OFF = 0.05  # seconds, doubled with each process that ended before it was up


class Child(Protocol):
    """This side of a process: ``pid`` is 0 until it is up; ``has_ended`` once it has hung up."""

    @property
    def number(self) -> int: ...

    @property
    def pid(self) -> int: ...

    @property
    def has_ended(self) -> bool: ...

    @property
    def far_ends(self) -> Sequence[int]:
        """The descriptors that the process is to have."""

    def let_go(self) -> None:
        """Close what is the process's alone, once it is on its way there."""

    def close(self) -> None:
        """Hang up; a process that lives still ends itself at once."""

    def kill(self) -> None: ...


C = TypeVar("C", bound=Child)


class Brood(Generic[C]):
    """A birth starts the zygote where there is none, as before the first, or when it has ended.

    Moments are of the monotonic clock.
    """

    def __init__(self, nursery: Nursery, selector: selectors.BaseSelector, noun: str) -> None:
        self._nursery = nursery
        self._selector = selector
        self._noun = noun
        self._numbers = count(1)
        self._children: dict[int, C] = {}
        self._statuses: dict[int, int] = {}
        self._hung_up: dict[int, float] = {}
        self._stillbirths = 0
        self._bereft: set[int] = set()  # not up yet when their zygote ended, which is no fault of theirs
        self._has_zygote = False
        self.spawn_at = 0.0

    def start(self) -> None:
        """Start the zygote before there is a birth, unless there is one; WorkerStartError if that cannot be done."""
        if not self._has_zygote:
            self._selector.register(self._nursery.start(), selectors.EVENT_READ, None)
            self._has_zygote = True

    def stop(self) -> None:
        """End every process, by force."""
        for child in list(self._children.values()):
            child.kill()
            self.remove(child)
        self.rest()

    def rest(self) -> None:
        """End the zygote, until there is another birth."""
        if self._has_zygote:
            self._selector.unregister(self._nursery.file)
            self._nursery.stop()
            self._has_zygote = False

    # ── births ───────────────────────────────────────────────────────────────────────────────────────────

    def next_number(self) -> int:
        """For the child that is to be."""
        return next(self._numbers)

    def can_bear(self, now: float) -> bool:
        """Whether another may be started, or the ones before it did so badly that it should wait."""
        return now >= self.spawn_at

    def bear(self, child: C, *, once: bool = False) -> C:
        """Have its process forked; it can be sent things at once."""
        self.start()
        self._children[child.number] = child
        # Where the zygote is gone, the child is hung up, and what was sent to it comes back.
        self._nursery.spawn(child.number, child.far_ends, once=once)
        child.let_go()
        return child

    def is_up(self) -> None:
        """One of them has said that it is up."""
        self._stillbirths = 0

    # ── news ─────────────────────────────────────────────────────────────────────────────────────────────

    def talking(self, now: float) -> Iterator[C]:
        """Those that have something to say."""
        for key, _ in self._selector.select(0):
            if key.data is None:
                self._hear_zygote(now)
            else:
                yield key.data

    def heard(self, child: C, now: float) -> None:
        """Its words were taken in; perhaps they were its last."""
        if child.has_ended:
            self._hung_up.setdefault(child.number, now)

    def gone(self, now: float) -> list[tuple[C, int | None]]:
        """Those that have ended, with their wait status, where it is known; each is told once."""
        if not self._statuses and not self._hung_up:
            return []
        late = [number for number, since in self._hung_up.items() if now - since >= _DEATH_NEWS]
        found = {number: self._statuses.pop(number, None) for number in (*self._statuses, *late)}
        return [(self._children[number], status) for number, status in found.items() if number in self._children]

    def moments(self) -> Iterator[float]:
        """When ``gone`` may tell of somebody without news from anybody."""
        return (silent_since + _DEATH_NEWS for silent_since in self._hung_up.values())

    def bury(self, child: C, now: float) -> None:
        """Forget one that has ended."""
        is_bereft = child.number in self._bereft
        self.remove(child)
        if not child.pid and not is_bereft:
            self._stillborn(now)

    def remove(self, child: C) -> None:
        """Hang up on it, and forget it."""
        child.close()
        del self._children[child.number]
        self._hung_up.pop(child.number, None)
        self._bereft.discard(child.number)

    def _hear_zygote(self, now: float) -> None:
        deaths = self._nursery.deaths()
        if deaths is not None:
            self._statuses.update((death.number, death.status) for death in deaths if death.number in self._children)
            return
        was_up = self._nursery.is_up
        self._bereft.update(number for number, child in self._children.items() if not child.pid)
        self.rest()
        if not was_up:
            self._stillborn(now)

    def _stillborn(self, now: float) -> None:
        self._stillbirths += 1
        if self._stillbirths >= _MOST_STILLBIRTHS:
            raise WorkerStartError(
                f"{self._noun} cannot be started: {self._stillbirths} ended before they were up; what they said "
                f"stands above, among the messages of the scheduler"
            )
        self.spawn_at = now + _BACK_OFF * 2**self._stillbirths
