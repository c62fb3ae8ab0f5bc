"""Touching: what clearing or marking some tasks of a run is about, before it is done."""

import hashlib
from collections.abc import Iterable, Sequence

import msgspec

from orchestrator.assembly.clearing import Place
from orchestrator.assembly.home import Home
from orchestrator.assembly.run_spec import spec_version
from orchestrator.names import Delivery, TaskState
from orchestrator.storage.activity_reads import TaskTally
from orchestrator.storage.views import RunRow


class Touched(msgspec.Struct, frozen=True, kw_only=True):
    """A task of a run, or some of its instances: in which state how many are. ``attempts`` of its bodies have begun;
    what they did outside may happen again, as ``delivery`` says. ``stamp`` changes whenever it is cleared or tried.
    """

    run: RunRow
    task_id: str
    map_indexes: tuple[int, ...]
    counts: dict[TaskState, int]
    attempts: int
    delivery: Delivery
    stamp: str

    @property
    def number(self) -> int:
        return sum(self.counts.values())


def touched(home: Home, run: RunRow, places: Iterable[Place]) -> list[Touched]:
    """What is recorded of them, in the order of the DAG; one question, however many there are."""
    indexes: dict[str, set[int] | None] = {}
    for task_id, map_index in places:
        known = indexes.setdefault(task_id, set())
        indexes[task_id] = None if map_index is None or known is None else known | {map_index}
    tallies = home.reads.task_tallies(run.run_key) if run.run_key else {}
    spec = home.reads.spec(spec_version(home, run))
    return [
        _touched(home, run, task.task_id, indexes[task.task_id], tallies.get(task.task_id), task.delivery)
        for task in spec.tasks
        if task.task_id in indexes
    ]


def stamp_of(things: Sequence[Touched], *more: object) -> str:
    """The same for whoever asks for the same of the same attempts, so that two who do so at once are one."""
    said = [(one.run.run_uid, one.run.state, one.task_id, one.map_indexes, one.stamp) for one in things]
    return hashlib.sha256(repr((said, more)).encode()).hexdigest()


def _touched(
    home: Home, run: RunRow, task_id: str, indexes: set[int] | None, tally: TaskTally | None, delivery: Delivery
) -> Touched:
    counts = tally.counts if tally else {TaskState.NONE: 1}
    attempts, generations = (tally.attempts, tally.generations) if tally else (0, 0)
    stamp = f"{attempts}/{generations}"
    if indexes is not None and len(indexes) == 1:
        row = home.reads.activity(run, task_id, next(iter(indexes)))
        counts, attempts = {row.state: 1}, row.attempt
    elif indexes is not None:
        counts = {TaskState.FAILED: len(indexes)}
    return Touched(
        run=run,
        task_id=task_id,
        map_indexes=tuple(sorted(indexes or ())),
        counts=counts,
        attempts=attempts,
        delivery=delivery,
        stamp=stamp,
    )
