"""Rewind: a board goes back to what it was, and no number on it is used twice."""

import heapq
from datetime import datetime

from orchestrator.core.activity import Activity, Node, is_timed
from orchestrator.core.board import Board, Place
from orchestrator.names import FINISHED, TaskState

_AT_WORK = frozenset({TaskState.QUEUED, TaskState.RUNNING, TaskState.DEFERRED})
_DUE = frozenset({TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE})
_KEPT = (
    "state",
    "deferred_seq",
    "failures",
    "gave",
    "losses",
    "pokes",
    "requested_seq",
    "scheduled_seq",
    "result_seq",
    "resumed_seq",
    "length",
    "lengths",
    "worker",
)
_MOMENTS = ("began_at", "scheduled_at", "started_at", "ended_at", "retry_at")


class RewindableBoard(Board):
    """A board that can be laid as an earlier one of the same run was.

    An attempt that was open then, and is open still, goes on. What was finished then is finished as it was. What has
    been handed out or cleared since is to be done anew, as a new generation.
    """

    unmade = TaskState.NONE  # what becomes of one that there was not yet; where that is an end, it needs no other

    def _rewind_board(self, past: Board, at: datetime) -> None:
        now, self._lapsed, self._choices = self.nodes, [], past._choices  # noqa: SLF001 - another board of the same kind
        self._lay_out()
        for task_id, node in self.nodes.items():
            self._rewind_node(node, now[task_id], past.nodes.get(task_id), past, at)
        self._doom_all(self._lapsed)
        for task_id, map_index in self._lapsed:
            if map_index not in self.nodes[task_id].indexes():  # nobody is there any more to hear of its end
                self._close((task_id, map_index), self.open[task_id, map_index])
                self.nodes[task_id].activity(map_index).state = TaskState.NONE
        self.agenda = dict.fromkeys(self.nodes)
        self.due = [
            (activity.retry_at, task_id, map_index)
            for task_id, node in self.nodes.items()
            for map_index, activity in node.activities()
            if activity.retry_at is not None and (activity.state in _DUE or is_timed(activity))
        ]
        heapq.heapify(self.due)

    def _rewind_node(self, node: Node, now: Node, then: Node | None, past: Board, at: datetime) -> None:
        if then is not None and not then.is_like(node):
            then = None
        self._reshape(node, now, then)
        node.one = now.one
        node.many = now.many
        if then is not None and then.many:
            lost = {index: was for index, was in then.many.items() if _is_lost(now.peek(index), was)}
            node.many = (now.many or {}) | {i: self._recalled((node.task.task_id, i), was) for i, was in lost.items()}
        if then is not None:
            node.skipped_by, node.skipped_in, node.result_seq = then.skipped_by, then.skipped_in, then.result_seq
            node.names = then.names
            node.stir_all()
        for map_index in (-1, *(node.many or ())):
            place = (node.task.task_id, map_index)
            was = None if then is None else then.peek(map_index)
            self._rewind_activity(place, node.activity(map_index), was, past, at)
        for map_index, activity in node.activities():
            if activity.state in FINISHED:
                self._count(node, map_index, activity.state, 1)

    def _reshape(self, node: Node, _now: Node, then: Node | None) -> None:
        if then is not None and then.shape is not None:
            self._expand(node, then.shape, then.extents.levels if then.extents else ())
            node.measured_at = then.measured_at

    def _recalled(self, place: Place, was: Activity) -> Activity:
        """An activity that the board had let go of, with its numbers; a board that lets go of none has all."""
        raise AssertionError(f"{place} was lost, attempt {was.attempt}")

    def _rewind_activity(self, place: Place, now: Activity, was: Activity | None, past: Board, at: datetime) -> None:
        self.touched.add(place)
        is_same = was is not None and _is_same(now, was)
        was_at_work = was is not None and (place in past.open or was.is_put_off)
        if is_same and was_at_work and (now.state in _AT_WORK or now.is_asking):
            return
        if was is None and self.unmade in FINISHED and now.state in FINISHED:
            now.state = self.unmade
            return
        if was is not None and (was.state in FINISHED or (is_same and not was_at_work)):
            self._lapse(place)
            _restore(now, was)
        else:
            self._begin_anew(place, now, was, at)

    def _begin_anew(self, place: Place, now: Activity, was: Activity | None, at: datetime) -> None:
        if now.attempt > now.outdated:
            now.generation += 1
            now.outdated = now.attempt
        is_open = self._lapse(place)
        _wipe(now)
        if not is_open:
            now.scheduled_at, now.scheduled_seq, now.worker = None, 0, ""
        if was is None and self.unmade in FINISHED:
            now.state, now.ended_at = self.unmade, at
        else:
            now.state = TaskState.RESTARTING if is_open else TaskState.NONE

    def _lapse(self, place: Place) -> bool:
        """End its attempt; whether there is one that is open."""
        if place not in self.open:
            return False
        self._lapsed.append(place)
        return True


def _is_same(now: Activity, was: Activity) -> bool:
    """Whether nothing was handed out or cleared between the two."""
    return (now.attempt, now.generation, now.scheduled_seq) == (was.attempt, was.generation, was.scheduled_seq)


def _is_lost(now: Activity | None, was: Activity) -> bool:
    """Whether the board has let go of it; late evidence may have left a blank in its place."""
    return now is None or (was.requested_seq > 0 and now.requested_seq == 0)


def _restore(now: Activity, was: Activity) -> None:
    for name in (*_KEPT, *_MOMENTS):
        setattr(now, name, getattr(was, name))


def _wipe(activity: Activity) -> None:
    activity.end_try()
    activity.failures = activity.losses = activity.result_seq = 0
    activity.length = activity.lengths = None
    activity.gave = False
    activity.started_at = activity.ended_at = activity.retry_at = None
