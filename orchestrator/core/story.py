"""Story: why a run or a task does not run, or why it ended as it did, told from the causes at the root."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from msgspec.structs import replace

from orchestrator.core import workflow_story
from orchestrator.core.activations import Standing
from orchestrator.core.activity import Activity, Node
from orchestrator.core.activity_story import ActivityTeller, Said
from orchestrator.core.blame import Root, is_done, roots, waits
from orchestrator.core.callback_story import FailedCallback, callback_reasons
from orchestrator.core.reasons import Cause, Reason, Usage, listed, named, span
from orchestrator.core.run import Run
from orchestrator.core.timing import longest_way, together
from orchestrator.core.words import RUN
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.exceptions import NotFoundError
from orchestrator.names import RunState, TaskState

_MOST_ROOTS = 10
_MOST_LEGS = 6
_UNASKED = Standing()


def _silent(_task_id: str, _map_index: int) -> None:
    return None


def why(
    run: Run,
    task_id: str | None = None,
    *,
    now: datetime,
    usage: Usage,
    failure_of: Said = _silent,
    standing: Standing = _UNASKED,
    callbacks: Iterable[FailedCallback] = (),
) -> list[Reason]:
    """Why the run, or one of its tasks, does not run or ended as it did: the nearest reason first, then the roots.

    ``failure_of`` gives what was recorded when an activity failed or was skipped; ``Words`` collects that. Where
    ``standing`` says what a workflow's code waits for, that is told; else what the history knows of it. ``callbacks``
    are those that raised. The list is never empty. NotFoundError if the run has no such task.
    """
    teller = _Teller(run, now, usage, failure_of, standing)
    calls = callback_reasons(run, task_id, callbacks)
    if task_id is None:
        return [*teller.of_run(), *calls]
    if task_id not in run.nodes:
        raise NotFoundError(f"run {run.run_id!r} of DAG {run.dag_id!r} has no task {task_id!r}")
    return [*teller.of_task(run.nodes[task_id]), *calls]


class _Teller(ActivityTeller):
    def __init__(self, run: Run, now: datetime, usage: Usage, failure_of: Said, standing: Standing) -> None:
        super().__init__(run, now, usage, failure_of)
        self._standing = standing

    # ── the run ──────────────────────────────────────────────────────────────────────────────────────────

    def of_run(self) -> Iterator[Reason]:
        run = self._run
        if run.ended_at is not None:
            yield self._ending()
            yield from self._behind_the_end()
            return
        if run.is_inert:
            sentence = "the run was imported while it was open, and does not go on here; fork it to go on"
            yield Reason(cause=Cause.IMPORTED, sentence=sentence, since=run.heard_at)
        held = self._held()
        if held is not None:
            yield held
        if isinstance(run, WorkflowRun):
            yield from self._of_workflow(run)
            return
        moving = [node for node in run.nodes.values() if self._is_moving(node, held is not None)]
        yield from self._told([Root(node, ()) for node in moving])
        if held is None and not moving:
            yield Reason(
                cause=Cause.READY, sentence="the run has nothing left to do and ends at the scheduler's next turn"
            )

    def _of_workflow(self, run: WorkflowRun) -> Iterator[Reason]:
        yield from workflow_story.blocked(run)
        if run.blocked is None:
            yield from workflow_story.stands(run, self._standing, self._now)
        for (task_id, _), indexes in workflow_story.open_calls(run).items():
            yield from self._of_alike(run.nodes[task_id], sorted(indexes))
        if run.state is RunState.QUEUED:
            if self._held() is None:
                yield Reason(cause=Cause.READY, sentence="the workflow begins at the scheduler's next turn")
        elif run.blocked is None:
            yield from workflow_story.waits(run, self._now, self._standing)

    def _behind_the_end(self) -> Iterator[Reason]:
        run = self._run
        if run.state is RunState.SUCCESS:
            yield from self._slowest()
        elif isinstance(run, WorkflowRun):
            yield from self._told([Root(node, ()) for node in run.nodes.values() if node.bad])
        else:
            yield from self._told(roots(run, [run.nodes[name] for name in run.plan.leaves if run.nodes[name].bad]))

    def _slowest(self) -> Iterator[Reason]:
        """Where the time went, if it went to more than one activity."""
        way = longest_way(self._run)
        if len(way) < 2:
            return
        most = sorted(way, key=lambda leg: -leg.took)[:_MOST_LEGS]
        legs = [f"{named(leg.task_id, leg.map_index)} {span(leg.took)}" for leg in way if leg in most]
        rest = f", and {len(way) - len(legs)} more" if len(way) > len(legs) else ""
        yield Reason(
            cause=Cause.SLOWEST,
            sentence=f"the longest way through it took {span(together(way))}: {', then '.join(legs)}{rest}",
            task_id=None,
            chain=tuple(named(leg.task_id, leg.map_index) for leg in way),
        )

    def _ending(self) -> Reason:
        run = self._run
        took = f" after {span(run.ended_at - run.started_at)}" if run.ended_at and run.started_at else ""
        if run.state is RunState.SUCCESS:
            how = "its workflow returned" if isinstance(run, WorkflowRun) else "none of its last tasks failed"
            return Reason(cause=Cause.SUCCESS, sentence=f"the run succeeded{took}: {how}", since=run.ended_at)
        cause = Cause.FAILED if run.cancelling is None else Cause.RUN_CANCELLED
        word = self._failure_of(*RUN)
        return Reason(
            cause=cause,
            sentence=f"the run failed{took}: {run.reason}",
            since=run.ended_at,
            seq=word.seq if word is not None and word.where is not None else 0,
            where=None if word is None else word.where,
        )

    def _is_moving(self, node: Node, held: bool) -> bool:
        """Whether it works, or would if there were room: the story of a run that goes on is made of these."""
        if is_done(node) or waits(self._run, node):
            return False
        return not held or any(activity.state not in _STARTABLE for _, activity in node.activities())

    # ── a task ───────────────────────────────────────────────────────────────────────────────────────────

    def of_task(self, node: Node) -> Iterator[Reason]:
        yield from self._of_node(node)
        yield from self._told([root for root in roots(self._run, [node]) if root.node is not node])

    def _told(self, found: Sequence[Root]) -> Iterator[Reason]:
        for root in found[:_MOST_ROOTS]:
            chain = root.chain if len(root.chain) > 1 else ()
            yield from (replace(reason, chain=chain) for reason in self._of_node(root.node))
        rest = [root.node.task.task_id for root in found[_MOST_ROOTS:]]
        if rest:
            yield Reason(cause=Cause.MORE, sentence=f"and so it is with {listed(rest)}")

    def _of_node(self, node: Node) -> Iterator[Reason]:
        """Reasons for each state that its activities are in."""
        groups: dict[TaskState, list[int]] = {}
        for map_index in node.indexes():
            activity = node.peek(map_index)
            groups.setdefault(activity.state if activity else TaskState.NONE, []).append(map_index)
        for indexes in groups.values():
            yield from self._of_alike(node, indexes)

    def _of_alike(self, node: Node, indexes: Sequence[int]) -> Iterator[Reason]:
        """The first of the activities in one state speaks for all of them."""
        first, name = indexes[0], node.task.task_id
        alike = f", like {len(indexes) - 1} more of it," if len(indexes) > 1 else ""
        word = self._failure_of(name, first)
        for cause, rest in self._of_activity(node, first):
            yield Reason(
                cause=cause,
                sentence=f"{named(name, first)}{alike} {rest}",
                task_id=name,
                map_index=first,
                since=_from_when(node.peek(first)) if word is None else word.at,
                seq=0 if word is None else word.seq,
                where=None if word is None else word.where,
            )


_STARTABLE = frozenset({TaskState.NONE, TaskState.SCHEDULED, TaskState.UP_FOR_RETRY, TaskState.UP_FOR_RESCHEDULE})


def _from_when(activity: Activity | None) -> datetime | None:
    """From when on it is in the state that it is in, as far as that is known."""
    if activity is None:
        return None
    return activity.ended_at or activity.started_at or activity.scheduled_at
