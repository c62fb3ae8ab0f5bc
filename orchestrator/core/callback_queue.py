"""CallbackQueue: the callbacks of all runs that wait for a slot, run by run in turn."""

from collections import deque
from collections.abc import Iterable, Iterator

from orchestrator.core.run import Run
from orchestrator.names import AttemptKey

_SLICE = 16


class CallbackQueue:
    """Nobody starves: the runs take turns, and callbacks take turns with attempts for the slots that are free."""

    def __init__(self) -> None:
        self._waiting: dict[int, deque[AttemptKey]] = {}
        self._runs: dict[int, Run] = {}
        self._held: dict[int, set[AttemptKey]] = {}
        self._is_first = False

    def offer(self, run: Run, keys: Iterable[AttemptKey]) -> None:
        """These are to be called."""
        self._runs[run.run_key] = run
        self._waiting.setdefault(run.run_key, deque()).extend(keys)

    def forget(self, run_key: int) -> list[AttemptKey]:
        """Nothing of that run waits any more; the callbacks that held a slot."""
        self._waiting.pop(run_key, None)
        self._runs.pop(run_key, None)
        return list(self._held.pop(run_key, ()))

    def share(self, free: int, *, is_contested: bool) -> int:
        """How many of the free slots callbacks may take before attempts do: all, or half, the odd one by turns."""
        if not self._waiting or not is_contested:
            return free
        if free > 0:
            self._is_first = not self._is_first
        return (free + self._is_first) // 2

    def take(self, room: int) -> Iterator[tuple[Run, list[AttemptKey]]]:
        """Up to ``room`` of those that wait, by run; each holds a slot from here on."""
        while room > 0 and self._waiting:
            run_key = next(iter(self._waiting))
            run, keys = self._runs[run_key], self._waiting.pop(run_key)
            found = [keys.popleft() for _ in range(min(room, _SLICE, len(keys)))]
            if keys:
                self._waiting[run_key] = keys
            found = [key for key in found if run.callbacks.waits(key) and self.hold(key)]
            if found:
                room -= len(found)
                yield run, found

    def hold(self, key: AttemptKey) -> bool:
        """It takes a slot; whether it had none."""
        held = self._held.setdefault(key.run_key, set())
        if key in held:
            return False
        held.add(key)
        return True

    def let_go(self, key: AttemptKey) -> bool:
        """It gives its slot back; whether it had one."""
        held = self._held.get(key.run_key)
        if held is None or key not in held:
            return False
        held.discard(key)
        if not held:
            del self._held[key.run_key]
        return True
