"""SimReplayer: the code of workflows, replayed in this process, in simulated time. A crash takes all of it away."""

import heapq
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from itertools import count

from orchestrator.authoring.blue import Definition
from orchestrator.core.activations import Activation, Advance, FactsWanted, ReplayLost, Word
from orchestrator.core.events import Recorded
from orchestrator.core.particulars import PayloadRef
from orchestrator.ports import Clock
from orchestrator.replay import Machine


def at_once(_: int) -> float:
    """Every answer comes in no time."""
    return 0.0


def never(_: int) -> bool:
    return False


class SimReplayer:
    """Real machines. ``pace`` gives the seconds that the n-th answer takes; before the n-th activation ``evicts`` says
    whether the run's code has been dropped meanwhile, and ``loses`` whether its process ends in the middle.

    ``activations`` counts them by run, ``machines`` how often the code of a run was begun. ``on_activate`` is called
    after each.
    """

    def __init__(
        self,
        clock: Clock,
        code: Callable[[Activation], Definition],
        *,
        pace: Callable[[int], float] = at_once,
        evicts: Callable[[int], bool] = never,
        loses: Callable[[int], bool] = never,
    ) -> None:
        self._clock = clock
        self._code = code
        self._pace = pace
        self._evicts = evicts
        self._loses = loses
        self._machines: dict[int, Machine] = {}
        self._open: dict[int, Activation] = {}
        self._said: list[tuple[datetime, int, Word]] = []
        self._order = count()
        self._payloads: dict[str, bytes] = {}
        self.activations: Counter[int] = Counter()
        self.machines: Counter[int] = Counter()
        self.on_activate: Callable[[], None] = lambda: None

    def crash(self) -> None:
        """The process goes, and what it had to say; what is in the payload store stays."""
        for machine in self._machines.values():
            machine.close()
        self._machines.clear()
        self._open.clear()
        self._said.clear()

    # ── Replayer ─────────────────────────────────────────────────────────────────────────────────────────

    def start(self) -> None:
        """Nothing to start."""

    def activate(self, activations: Sequence[Activation]) -> None:
        for activation in activations:
            run_key = activation.run_key
            assert run_key not in self._open, f"run {run_key} is activated again before it has answered"
            self._open[run_key] = activation
            self.activations[run_key] += 1
            number = self.activations.total()
            if self._evicts(number):
                self._drop(run_key)
            if self._loses(number):
                self._lose(run_key)
            else:
                self._go_on(activation)
            self.on_activate()

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> None:
        activation = self._open.get(run_key)
        assert activation is not None, f"run {run_key} is supplied with facts and has no activation"
        machine = self._machine(activation)
        machine.tell(facts)
        if is_all:
            self._advance(activation, machine)
        else:
            self._say(FactsWanted(run_key=run_key, after=machine.told))

    def forget(self, run_keys: Sequence[int]) -> None:
        for run_key in run_keys:
            self._drop(run_key)
            self._open.pop(run_key, None)
        gone = set(run_keys)
        self._said = [entry for entry in self._said if entry[2].run_key not in gone]
        heapq.heapify(self._said)

    def words(self) -> list[Word]:
        words = []
        while self._said and self._said[0][0] <= self._clock.now():
            words.append(heapq.heappop(self._said)[2])
            if not isinstance(words[-1], FactsWanted):
                del self._open[words[-1].run_key]
        return words

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        return self._said[0][0] if self._said else None

    def stop(self) -> None:
        self.crash()

    # ── the code ─────────────────────────────────────────────────────────────────────────────────────────

    def _go_on(self, activation: Activation) -> None:
        machine = self._machine(activation)
        if machine.told == activation.after:
            self._advance(activation, machine)
        else:
            self._say(FactsWanted(run_key=activation.run_key, after=machine.told))

    def _advance(self, activation: Activation, machine: Machine) -> None:
        machine.asked_until = activation.asked_until
        machine.tell(activation.facts)
        self._say(Advance(run_key=activation.run_key, seq=machine.told, commands=machine.advance()))

    def _machine(self, activation: Activation) -> Machine:
        found = self._machines.get(activation.run_key)
        if found is None:
            self.machines[activation.run_key] += 1
            found = Machine(activation, self._code(activation), self._load, self._store)
            self._machines[activation.run_key] = found
        return found

    def _lose(self, run_key: int) -> None:
        self._drop(run_key)
        self._say(ReplayLost(run_key=run_key, reason="its process was killed"))

    def _drop(self, run_key: int) -> None:
        machine = self._machines.pop(run_key, None)
        if machine is not None:
            machine.close()

    def _say(self, word: Word) -> None:
        number = next(self._order)
        heapq.heappush(self._said, (self._clock.now() + timedelta(seconds=self._pace(number)), number, word))

    def _load(self, ref: PayloadRef) -> bytes:
        return self._payloads[ref.sha256]

    def _store(self, data: bytes) -> PayloadRef:
        ref = PayloadRef(sha256=sha256(data).hexdigest(), size=len(data))
        self._payloads[ref.sha256] = data
        return ref
