"""Board: the activities of a run as they lie, who waits for whom, and what has still to be looked at."""

import heapq
import math
from collections.abc import Iterable, Iterator
from datetime import datetime

from orchestrator.core.activity import Activity, Instances, Node, Upstreams
from orchestrator.core.extents import Extents, Levels
from orchestrator.core.measuring import Measure
from orchestrator.core.plan import Plan
from orchestrator.core.trigger_rules import evaluate
from orchestrator.names import FINISHED, AttemptKey, Delivery, TaskState, TriggerRule

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
        self._retired: dict[tuple[str, bool, int], Node] = {}
        self._choices: dict[Place, tuple[str, ...]] = {}
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
        old, levels = self.nodes, self.plan.levels
        self.plan = plan
        self._lay_out()
        stays = {name for name, node in self.nodes.items() if name in old and old[name].is_like(node)}
        gone = [place for place in self.open if place[0] not in stays]
        self._doom_all(gone)
        for place in gone:
            self._close(place, self.open[place])
        for name in old.keys() - stays:
            _retire(old[name])
            self._retired[_kind(old[name])] = old[name]
        for name, node in self.nodes.items():
            before = old[name] if name in stays else self._retired.pop(_kind(node), None)
            if before is not None:
                self._carry_over(node, before)
                if name not in stays or levels.get(name) != plan.levels.get(name):
                    node.measured_at = 0
        self.agenda = dict.fromkeys(self.nodes)

    def _lay_out(self) -> None:
        setups = {task.task_id for task in self.plan.spec.tasks if task.is_setup}
        self.nodes = {
            task.task_id: Node(task, Upstreams(len(task.upstream), sum(u in setups for u in task.upstream)))
            for task in self.plan.spec.tasks
        }
        self.measure = Measure(self.nodes, self.plan)
        self.unfinished = len(self.nodes)
        self.agenda = dict.fromkeys(t.task_id for t in self.plan.spec.tasks if not t.upstream or t.scopes)

    def _carry_over(self, node: Node, old: Node) -> None:
        if old.shape is not None:
            self._expand(node, old.shape, old.extents.levels if old.extents else ())
        node.skipped_by, node.skipped_in, node.beyond = old.skipped_by, old.skipped_in, old.beyond
        node.names = old.names
        node.one, node.many, node.result_seq, node.measured_at = old.one, old.many, old.result_seq, old.measured_at
        node.stir_all()
        for map_index, activity in node.activities():
            self.touched.add((node.task.task_id, map_index))
            if activity.state in FINISHED:
                self._count(node, map_index, activity.state, 1)

    # ── mapped tasks ─────────────────────────────────────────────────────────────────────────────────────

    def _expand(self, node: Node, shape: tuple[int, ...], levels: Levels = ()) -> None:
        """Give it that many activities; said again, some of them more, or the last ones no more."""
        extents = Extents(levels or ((math.prod(shape),),))
        if node.shape is not None:
            self._shrink(node, extents.size)
        extra = max(extents.size, 1) - max(node.size, 1)
        node.shape, node.size = shape, extents.size
        node.extents = extents if node.task.depth else None  # calls of a workflow come one by one
        self.unfinished += extra
        for name in self.plan.downstream[node.task.task_id]:
            after = self.nodes[name]
            if after.instances is not None and (node.task.task_id, name) in self.plan.shared:
                after.instances.upstreams.clear()
                after.instances.stir(0, 0)
            else:
                after.upstreams.total += extra
                after.upstreams.setups += extra if node.task.is_setup else 0
        node.instances = None
        if node.size and node.task.task_id in self.plan.depths:
            self._split(node, extents)

    def _shrink(self, node: Node, size: int) -> None:
        """Let go of the activities beyond ``size``; should they come back, they begin anew."""
        task_id = node.task.task_id
        gone = [index for index in node.many or () if index >= size]
        back = [index for index in node.beyond or () if index < size]
        for place in [(task_id, index) for index in gone if (task_id, index) in self.open]:
            self._doom(*place)
            self._close(place, self.open[place])
        for index, activity in [(i, node.activity(i)) for i in gone] + ([(-1, node.one)] if size else []):
            if activity.state in FINISHED:
                self._count(node, index, activity.state, -1)
            if activity.attempt > activity.outdated:
                activity.generation, activity.outdated = activity.generation + 1, activity.attempt
            activity.state, activity.retry_at = TaskState.NONE, None
            self.touched.add((task_id, index))
        many, beyond = node.many or {}, node.beyond or {}
        beyond.update((index, many.pop(index)) for index in gone)
        many.update((index, beyond.pop(index)) for index in back)
        node.many, node.beyond, node.released = many, beyond, False

    def _split(self, node: Node, extents: Extents) -> None:
        """From here on its instances are judged one by one, by what each shares with its upstreams."""
        task_id = node.task.task_id
        shared = self.plan.shared
        node.instances = instances = Instances(extents, self.plan.depths[task_id])
        inside = [name for name in node.task.upstream if (name, task_id) in shared]
        node.upstreams = Upstreams()
        for name in node.task.upstream:
            if name not in inside:
                up = self.nodes[name]
                _add_to(node.upstreams, up, up.indexes())
        if node.task.trigger_rule is TriggerRule.ALWAYS or node.upstreams.done or node.skipped_by or node.skipped_in:
            instances.stir(0, 0)
            return
        for name in inside:
            up, depth = self.nodes[name], shared[name, task_id]
            for map_index, activity in up.activities():
                if activity.state not in FINISHED:
                    continue
                if map_index < 0 or up.extents is None:
                    instances.stir(0, 0)
                else:
                    instances.stir(depth, up.extents.outer(map_index, depth))

    def upstreams_of(self, node: Node, instance: int) -> Upstreams:
        """What one instance of a task waits for: the upstreams around its mapped groups, and those of its own."""
        assert node.instances is not None
        found = node.upstreams
        for depth, number in node.instances.around(instance):
            inner = node.instances.upstreams.get((depth, number))
            if inner is None:
                inner = node.instances.upstreams[depth, number] = self._inner(node, depth, number)
            found = found + inner
        return found

    def _inner(self, node: Node, depth: int, number: int) -> Upstreams:
        """The upstreams that share just ``depth`` mapped groups, in one instance of these."""
        found = Upstreams()
        for name in node.task.upstream:
            if self.plan.shared.get((name, node.task.task_id)) == depth:
                up = self.nodes[name]
                is_alike = node.extents is not None and _is_alike(up, node.extents, depth)
                places = up.extents.inside(number, depth) if up.extents and is_alike else up.indexes()
                _add_to(found, up, places)
        return found

    # ── one activity ─────────────────────────────────────────────────────────────────────────────────────

    def _put(self, node: Node, map_index: int, activity: Activity, state: TaskState, at: datetime) -> None:
        """The one place where an activity changes state, and where its successors learn of it."""
        old, activity.state = activity.state, state
        self.touched.add((node.task.task_id, map_index))
        if old in FINISHED:
            self._count(node, map_index, old, -1)
        if state in FINISHED:
            activity.ended_at = at
            self._count(node, map_index, state, 1)

    def _count(self, node: Node, map_index: int, state: TaskState, by: int) -> None:
        task_id = node.task.task_id
        self.unfinished -= by
        node.done += by
        if state in _BAD:
            node.bad += by
        setup = node.task.is_setup
        for name in self.plan.downstream[task_id]:
            after = self.nodes[name]
            if after.instances is not None:
                self._count_in(after, node, map_index, state, by)
            else:
                after.upstreams.count(state, by, setup=setup)
                after.released &= by > 0  # what was let go and has not started is judged again
            self.agenda[name] = None
        for name in self.plan.served.get(task_id, ()):
            self._look_anew(self.nodes[name], node, map_index, by)
        if task_id in self.plan.measured and (node.is_over or by < 0):
            self.agenda.update(dict.fromkeys(self.plan.measured[task_id]))

    def _look_anew(self, after: Node, node: Node, map_index: int, by: int) -> None:
        """A setup that decides on ``after`` from afar has come to its end, or goes back on it."""
        instances = after.instances
        if instances is None:
            after.released &= by > 0
        else:
            depth = self.plan.shared_depth(node.task.task_id, after.task.task_id)
            is_near = node.extents is not None and map_index >= 0 and _is_alike(node, instances.extents, depth)
            number = node.extents.outer(map_index, depth) if node.extents is not None and is_near else 0
            stirred = instances.stir(depth if is_near else 0, number)
            if by < 0:
                instances.let_go.difference_update(stirred)
        self.agenda[after.task.task_id] = None

    def _count_in(self, after: Node, node: Node, map_index: int, state: TaskState, by: int) -> None:
        """Count it for the instances of ``after`` that it concerns, and have those judged for which it matters."""
        instances, setup = after.instances, node.task.is_setup
        assert instances is not None
        depth = self.plan.shared.get((node.task.task_id, after.task.task_id), 0)
        if depth and node.extents is not None and map_index >= 0 and _is_alike(node, instances.extents, depth):
            number = node.extents.outer(map_index, depth)
            if (known := instances.upstreams.get((depth, number))) is not None:
                known.count(state, by, setup=setup)
            stirred = instances.stir(depth, number)
        elif depth:
            instances.upstreams.clear()
            stirred = instances.stir(0, 0)
        else:
            before = evaluate(after.task.trigger_rule, after.upstreams)
            after.upstreams.count(state, by, setup=setup)
            is_same = before is evaluate(after.task.trigger_rule, after.upstreams)
            stirred = range(0) if is_same else instances.stir(0, 0)
        if by < 0:
            instances.let_go.difference_update(stirred)

    def _choose(self, node: Node, map_index: int, skip: Iterable[str]) -> None:
        """Keep what a branch chose to skip, in place of what it chose before."""
        task_id = node.task.task_id
        place = (task_id, map_index)
        for name in self._choices.pop(place, ()):
            if (after := self.nodes.get(name)) is not None:
                self._skippers(node, map_index, after).discard(task_id)
        chosen = tuple(name for name in skip if name in self.nodes)
        for name in chosen:
            after = self.nodes[name]
            self._skippers(node, map_index, after).add(task_id)
            if after.instances is not None:
                after.instances.stir(*self._shared(node, map_index, name))
            self.agenda[name] = None
        if chosen:
            self._choices[place] = chosen

    def _skippers(self, node: Node, map_index: int, after: Node) -> set[str]:
        """The branches that skip ``after``, or its instances that share mapped groups with that activity."""
        where = self._shared(node, map_index, after.task.task_id)
        if not where[0]:
            after.skipped_by = after.skipped_by or set()
            return after.skipped_by
        after.skipped_in = after.skipped_in or {}
        return after.skipped_in.setdefault(where, set())

    def _shared(self, node: Node, map_index: int, name: str) -> tuple[int, int]:
        """Which instance of the mapped groups that it shares with that task an activity is in: (depth, number)."""
        depth = self.plan.shared_depth(node.task.task_id, name)
        if not depth or node.extents is None or map_index < 0:
            return 0, 0
        return depth, node.extents.outer(map_index, depth)

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
        activity.end_try()
        activity.result_seq, activity.length, activity.lengths, activity.gave = 0, None, None, False
        if node.instances is None or map_index < 0:
            node.released = False
        else:
            instance = node.instances.of(map_index)
            node.instances.let_go.discard(instance)
            node.instances.stirred.add(instance)
        self._put(node, map_index, activity, TaskState.NONE, at)
        self.agenda[node.task.task_id] = None

    def _doom(self, task_id: str, map_index: int) -> None:
        if (task_id, map_index) in self.open:
            self._doom_all([(task_id, map_index)])

    def _doom_all(self, places: Iterable[Place]) -> None:
        self.doomed.extend(AttemptKey(self.run_key, *place, self.open[place]) for place in places)


def _is_alike(up: Node, extents: Extents, depth: int) -> bool:
    """Whether an upstream has just as many instances of the groups that both stand in.

    Where an input was made anew, one of them may have been expanded by it and the other not yet, or never.
    """
    return up.extents is not None and up.size > 0 and up.extents.count(depth) == extents.count(depth)


def _kind(node: Node) -> tuple[str, bool, int]:
    return node.task.task_id, node.is_mapped, node.task.depth


def _add_to(counts: Upstreams, up: Node, places: range) -> None:
    """Count activities of an upstream, each in the state that it has."""
    setup = up.task.is_setup
    counts.total += len(places)
    counts.setups += len(places) if setup else 0
    for map_index in places:
        activity = up.peek(map_index)
        if activity is not None and activity.state in FINISHED:
            counts.count(activity.state, 1, setup=setup)


def _retire(node: Node) -> None:
    """What has not come to its end begins anew, should the task ever come back; an unknown outcome stays unknown."""
    for _, activity in node.activities():
        if activity.state is TaskState.RUNNING and node.task.delivery is Delivery.AT_MOST_ONCE:
            activity.state = TaskState.AWAITING_INPUT
        elif activity.is_asking or activity.state not in (*FINISHED, TaskState.AWAITING_INPUT):
            activity.state = TaskState.NONE
