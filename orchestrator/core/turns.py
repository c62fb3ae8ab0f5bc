"""Turns: which of the runs that want the same room is to have it, so that a large one does not keep it for itself."""

from collections import Counter, defaultdict

TURN = 16


class Turns:
    """Rounds, for each weight apart: in each a run takes TURN activities before others have theirs.

    A run that begins to wait joins the round that is on, so that it has neither to make up for others nor they for it.
    So do TURN runs at most, and the others the next one: a round ends, however many keep coming.
    """

    def __init__(self) -> None:
        self._taken: dict[int, dict[int, int]] = defaultdict(dict)  # by weight and run, as if from the first round on
        self._now: Counter[int] = Counter()  # by weight: the round that is on,
        self._joined: Counter[int] = Counter()  # and how many have joined it

    def join(self, weight: int, run_key: int) -> None:
        """Something of that run begins to wait."""
        taken, now = self._taken[weight], self._now[weight]
        if taken.get(run_key, -1) < now * TURN:
            taken[run_key] = (now + (self._joined[weight] >= TURN)) * TURN
            self._joined[weight] += 1

    def round(self, weight: int, run_key: int) -> int:
        """In which round it is to have its next."""
        taken = self._taken[weight].get(run_key)
        return self._now[weight] if taken is None else taken // TURN

    def left(self, weight: int, run_key: int) -> int:
        """How many it may take before the others; at least 1."""
        return TURN - self._taken[weight].get(run_key, 0) % TURN

    def took(self, weight: int, run_key: int, count: int) -> None:
        """It was given as many."""
        turn, taken = self.round(weight, run_key), self._taken[weight]
        if turn > self._now[weight]:
            self._now[weight], self._joined[weight] = turn, 0
        taken[run_key] = taken.get(run_key, turn * TURN) + count

    def forget(self, run_key: int) -> None:
        """Nothing of that run waits any more."""
        for weight, taken in list(self._taken.items()):
            taken.pop(run_key, None)
            if not taken:
                for counts in (self._taken, self._now, self._joined):
                    counts.pop(weight, None)
