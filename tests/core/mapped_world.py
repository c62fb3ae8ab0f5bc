"""A run of mapped tasks and groups, played by hand-made bodies, and a slow, plain account of who waits for whom."""

import random
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from orchestrator.core.activity import Upstreams
from orchestrator.core.commands import CancelAttempt, ScheduleActivity, facts_of
from orchestrator.core.decide import decide
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityFailed,
    ActivityScheduled,
    RunEnded,
)
from orchestrator.core.particulars import Failure
from orchestrator.core.run import Run
from orchestrator.core.trigger_rules import Verdict, evaluate
from tests.core.ledger import Ledger, at

Body = Callable[[str, int], Any]


class Fails(Exception):
    """The attempt fails."""


class Player:
    """Plays a ledger's run: what may start starts, and ends in an order drawn from ``dice``."""

    def __init__(self, ledger: Ledger, body: Body, dice: random.Random | None = None) -> None:
        self.ledger = ledger
        self.body = body
        self.dice = dice or random.Random(1)
        self.waiting: list[tuple[str, int]] = []
        self.ran: list[tuple[str, int]] = []

    def settle(self) -> None:
        """Record everything that ``decide`` wants, and hand out what is ready."""
        run = self.ledger.run
        while commands := decide(run, at(len(self.ledger.facts)) + timedelta(0)):
            for command in commands:
                if isinstance(command, ScheduleActivity):
                    self._schedule(command)
                else:
                    assert not isinstance(command, CancelAttempt), "nothing starts that has to be ended"
                    self.ledger.add(*facts_of(command))  # type: ignore[arg-type]

    def _schedule(self, command: ScheduleActivity) -> None:
        run = self.ledger.run
        for map_index in range(command.map_index, command.map_index + command.count):
            attempt = run.next_attempt(command.task_id, map_index)
            self.ledger.add(ActivityScheduled(task_id=command.task_id, map_index=map_index, attempt=attempt))
            self.waiting.append((command.task_id, map_index))

    def end_one(self) -> None:
        task_id, map_index = self.waiting.pop(self.dice.randrange(len(self.waiting)))
        attempt = self.ledger.run.nodes[task_id].activity(map_index).attempt
        self.ran.append((task_id, map_index))
        where = {"task_id": task_id, "map_index": map_index, "attempt": attempt}
        try:
            result = self.body(task_id, map_index)
        except Fails:
            self.ledger.add(ActivityFailed(**where, failure=Failure(message="as told")))
            return
        skip = tuple(result.pop("skip")) if isinstance(result, dict) and "skip" in result else ()
        length = len(result) if isinstance(result, list | dict) else None
        lengths = (
            {key: len(part) for key, part in result.items() if isinstance(part, list)}
            if length is not None and isinstance(result, dict)
            else {}
        )
        raw = msgspec.Raw(msgspec.json.encode(result))
        self.ledger.add(ActivityCompleted(**where, result=raw, length=length, lengths=lengths, skip=skip))

    def play(self) -> Run:
        """To its end."""
        self.settle()
        while self.waiting:
            self.end_one()
            self.settle()
        assert isinstance(self.ledger.facts[-1].event, RunEnded), self.ledger.states()
        return self.ledger.run


# ── the plain account ────────────────────────────────────────────────────────────────────────────────────


def paths(run: Run, task_id: str) -> list[tuple[int, ...]]:
    """For each map index the number of its instance within each level around it, found by counting."""
    node = run.nodes[task_id]
    if node.extents is None or node.size == 0:
        return []
    found: list[tuple[int, ...]] = [()]
    for level in node.extents.levels:
        grown = []
        for number, path in enumerate(found):
            grown += [(*path, inner) for inner in range(level[0] if len(level) == 1 else level[number])]
        found = grown
    return found


def waits_for(run: Run, task_id: str, map_index: int, upstream: str) -> list[int]:
    """The activities of an upstream that one activity waits for."""
    up = run.nodes[upstream]
    shared = run.plan.shared_depth(upstream, task_id)
    if not shared or map_index < 0 or not up.is_expanded:
        return list(up.indexes())
    own = paths(run, task_id)[map_index][:shared]
    return [index for index, path in enumerate(paths(run, upstream)) if path[:shared] == own]


def verdict_at_the_end(run: Run, task_id: str, map_index: int) -> Verdict:
    """What the trigger rule makes of the states that the upstreams have ended in."""
    counts = Upstreams()
    for name in run.nodes[task_id].task.upstream:
        for index in waits_for(run, task_id, map_index, name):
            activity = run.nodes[name].peek(index)
            assert activity is not None
            counts.total += 1
            counts.count(activity.state, 1, setup=False)
    return evaluate(run.nodes[task_id].task.trigger_rule, counts)
