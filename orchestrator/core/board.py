"""Board: the activities of a run as they lie, who waits for whom, and what has still to be looked at."""

import heapq
import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from orchestrator.core.activity import Activity, Node, Upstreams
from orchestrator.core.plan import Plan
from orchestrator.names import FINISHED, AttemptKey, Delivery, TaskState

Place = tuple[str, int]

_BAD = frozenset({TaskState.FAILED, TaskState.UPSTREAM_FAILED})


class Board:
    """Keeps the counts that make a completion cost its successors, nothing else.

    ``open`` holds the attempts that an executor answers for. What ``decide`` has still to look at waits in
    ``agenda`` (tasks), ``due`` (a heap of moments and places) and ``doomed`` (attempts to end); they are notes of
    the fold, drained once each, and a run that is rebuilt has them anew. ``touched`` are the places that changed
    since somebody last took them, ``closed`` the attempts that gave back their slots.
    """

    def __init__(self, run_key: int, plan: Plan) -> None:
        self.run_key = run_key
        self.plan = plan
        self.open: dict[Place, int] = {}
        self.agenda: dict[str, None] = {}
        self.due: list[tuple[datetime, str, int]] = []
        self.doomed: list[AttemptKey] = []
        self.touched: set[Place] = set()
        self.closed: list[Place] = []
        self.nodes: dict[str, Node] = {}
        self.unfinished = 0
        self._retired: dict[tuple[str, bool], Node] = {}
        self._lapsed: list[Place] = []
        self._lay_out()

    def take_doomed(self) -> Iterator[AttemptKey]:
        """The attempts to end that nobody has been told of: those that are open, or for which there is no place."""
        doomed, self.doomed = self.doomed, []
        for key in doomed:
            node = self.nodes.get(key.task_id)
            is_out = node is None or key.map_index not in node.indexes()
            if is_out or self.open.get((key.task_id, key.map_index)) == key.attempt:
                yield key

    # ── laying out ───────────────────────────────────────────────────────────────────────────────────────

    def move(self, plan: Plan) -> None:
        """Go on with the plan of the version that RunMoved named; what both versions have keeps its state.

        What only the old one has is retired: its attempts end, and its numbers are kept in case it comes back.
        """
        old = self.nodes
        self.plan = plan
        self._lay_out()
        stays = {name for name, node in self.nodes.items() if name in old and old[name].is_mapped == node.is_mapped}
        gone = [place for place in self.open if place[0] not in stays]
        self._doom_all(gone)
        for place in gone:
            self._close(place, self.open[place])
        for name in old.keys() - stays:
            _retire(old[name])
            self._retired[name, old[name].is_mapped] = old[name]
        for name, node in self.nodes.items():
            before = old[name] if name in stays else self._retired.pop((name, node.is_mapped), None)
            if before is not None:
                self._carry_over(node, before)
        self.agenda = dict.fromkeys(self.nodes)

    def _lay_out(self) -> None:
        setups = {task.task_id for task in self.plan.spec.tasks if task.is_setup}
        self.nodes = {
            task.task_id: Node(task, Upstreams(len(task.upstream), sum(u in setups for u in task.upstream)))
            for task in self.plan.spec.tasks
        }
        self.unfinished = len(self.nodes)
        self.agenda = dict.fromkeys(task.task_id for task in self.plan.spec.tasks if not task.upstream)

    def _carry_over(self, node: Node, old: Node) -> None:
        if old.shape is not None:
            self._expand(node, old.shape)
        node.skipped_by, node.one, node.many = old.skipped_by, old.one, old.many
        for map_index, activity in node.activities():
            self.touched.add((node.task.task_id, map_index))
            if activity.state in FINISHED:
                self._count(node, activity.state, 1)

    def _expand(self, node: Node, shape: tuple[int, ...]) -> None:
        node.shape, node.size = shape, math.prod(shape)
        extra = max(node.size, 1) - 1
        self.unfinished += extra
        for name in self.plan.downstream[node.task.task_id]:
            after = self.nodes[name].upstreams
            after.total += extra
            after.setups += extra if node.task.is_setup else 0

    # ── one activity ─────────────────────────────────────────────────────────────────────────────────────

    def _put(self, node: Node, map_index: int, activity: Activity, state: TaskState, at: datetime) -> None:
        """The one place where an activity changes state, and where its successors learn of it."""
        old, activity.state = activity.state, state
        self.touched.add((node.task.task_id, map_index))
        if old in FINISHED:
            self._count(node, old, -1)
        if state in FINISHED:
            activity.ended_at = at
            self._count(node, state, 1)

    def _count(self, node: Node, state: TaskState, by: int) -> None:
        self.unfinished -= by
        if state in _BAD:
            node.bad += by
        setup = node.task.is_setup
        for name in self.plan.downstream[node.task.task_id]:
            after = self.nodes[name]
            after.upstreams.count(state, by, setup=setup)
            after.released &= by > 0  # what was let go and has not started is judged again
            self.agenda[name] = None
        for name in self.plan.served.get(node.task.task_id, ()):
            self.nodes[name].released &= by > 0
            self.agenda[name] = None

    def _close(self, place: Place, attempt: int) -> bool:
        """Forget an open attempt; whether it was open."""
        if self.open.get(place) != attempt:
            return False
        del self.open[place]
        self.closed.append(place)
        return True

    def _again(self, node: Node, map_index: int, activity: Activity, when: datetime) -> None:
        activity.retry_at = when
        heapq.heappush(self.due, (when, node.task.task_id, map_index))
        self.agenda[node.task.task_id] = None

    def _reset(self, node: Node, map_index: int, activity: Activity, at: datetime) -> None:
        activity.started_at = activity.ended_at = activity.retry_at = None
        activity.result_seq, activity.length = 0, None
        node.released = False
        self._put(node, map_index, activity, TaskState.NONE, at)
        self.agenda[node.task.task_id] = None

    def _doom(self, task_id: str, map_index: int) -> None:
        if (task_id, map_index) in self.open:
            self._doom_all([(task_id, map_index)])

    def _doom_all(self, places: Iterable[Place]) -> None:
        self.doomed.extend(AttemptKey(self.run_key, *place, self.open[place]) for place in places)


def _retire(node: Node) -> None:
    """What has not come to its end begins anew, should the task ever come back; an unknown outcome stays unknown."""
    for _, activity in node.activities():
        if activity.state is TaskState.RUNNING and node.task.delivery is Delivery.AT_MOST_ONCE:
            activity.state = TaskState.AWAITING_INPUT
        elif activity.state not in FINISHED and activity.state is not TaskState.AWAITING_INPUT:
            activity.state = TaskState.NONE
