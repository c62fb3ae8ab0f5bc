"""Setups and teardowns: tasks that prepare what others need, and those that take it down again."""

from collections.abc import Iterable
from contextvars import ContextVar, Token
from types import TracebackType
from typing import Any, Self

from orchestrator.authoring.place import Place, author
from orchestrator.authoring.task import Linkable, Task, linkables
from orchestrator.names import TriggerRule

_current: ContextVar["Scope | None"] = ContextVar("orchestrator_scope", default=None)


class Scope:
    """What a ``with`` block over setups or teardowns makes: its tasks run after the setups, before the teardowns.

    Beside given setups, the teardowns are those right after one of them; beside given teardowns, the setups are those
    right before one of them. In a block inside of another, the outer setups come first and the outer teardowns last.
    """

    def __init__(self, given: list[Task]) -> None:
        self.place = author()
        if not given or not (all(_is_setup(task) for task in given) or all(task.is_teardown for task in given)):
            raise self.place.refuse(
                "a `with` block over tasks takes setups only, or teardowns only; make them that by @setup or "
                "@teardown, as_setup() or as_teardown()"
            )
        is_over_teardowns = given[0].is_teardown
        self.setups = _near(given, upstream=True) if is_over_teardowns else given
        self.teardowns = given if is_over_teardowns else _near(given, upstream=False)
        self.tasks: list[Task] = []

    def add_task(self, task: Linkable) -> None:
        """Take in a task, or the result of one, that was made elsewhere."""
        self.tasks += (own for own in task.roots if own not in self.tasks)

    def close(self, outer: "Scope | None") -> None:
        """Draw the edges, now that all tasks are there."""
        work = [task for task in self.tasks if not task.is_setup and not task.is_teardown]
        inside = {task.task_id for task in work}
        _join(self.setups, [task for task in work if task.upstream_task_ids.isdisjoint(inside)])
        _join([task for task in work if task.downstream_task_ids.isdisjoint(inside)], self.teardowns)
        if outer is not None:
            _join(outer.setups, self.setups)
            _join(self.teardowns, outer.teardowns)


def _is_setup(task: Task) -> bool:
    return task.is_setup and not task.is_teardown


def _near(given: list[Task], *, upstream: bool) -> list[Task]:
    """The setups right before, or the teardowns right after."""
    around = (near for task in given for near in task.get_direct_relatives(upstream))
    return list({near.task_id: near for near in around if (near.is_setup if upstream else near.is_teardown)}.values())


def _join(before: list[Task], after: list[Task]) -> None:
    for one in before:
        for other in after:
            one.link(other)


def register(task: Task) -> None:
    """A task that was just made belongs to the innermost block that is open."""
    scope = _current.get()
    if scope is not None:
        scope.add_task(task)


class Block:
    """The ``with`` statement over setups or teardowns; ``as`` gives the Scope."""

    _open: tuple[Token[Scope | None], Scope]

    def __init__(self, tasks: Iterable[Linkable]) -> None:
        self._given = [task for item in linkables(tasks) for task in item.roots]

    def __enter__(self) -> Scope:
        scope = Scope(self._given)
        self._open = _current.set(scope), scope
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        token, scope = self._open
        _current.reset(token)
        if kind is None:
            scope.close(_current.get())


class Preparing(Linkable):
    """What may be made a setup or a teardown, and may stand over a ``with`` block: a task, or the result of one."""

    _blocks: tuple[Block, ...] = ()

    def as_setup(self) -> Self:
        """This task prepares what others need and what a teardown takes down again."""
        for task in self.roots:
            task.is_setup = True
        return self

    def as_teardown(
        self, *, setups: "Preparing | Iterable[Preparing] | None" = None, on_failure_fail_dagrun: bool | None = None
    ) -> Self:
        """This task runs once its upstreams have ended, however they ended, if one of its ``setups`` succeeded.

        Its failure does not fail the run, unless ``on_failure_fail_dagrun``.
        """
        for task in self.roots:
            task.is_teardown, task.trigger_rule = True, TriggerRule.ALL_DONE_SETUP_SUCCESS
            if on_failure_fail_dagrun is not None:
                task.on_failure_fail_dagrun = on_failure_fail_dagrun
        for setup in [] if setups is None else linkables(setups):
            _preparing(setup).as_setup().set_downstream(self)
        return self

    def __enter__(self) -> Scope:
        block = Block([self])
        scope = block.__enter__()
        self._blocks = (*self._blocks, block)
        return scope

    def __exit__(self, *exception: Any) -> None:
        *outer, block = self._blocks
        self._blocks = tuple(outer)
        block.__exit__(*exception)


def _preparing(setup: Linkable) -> Preparing:
    if not isinstance(setup, Preparing):
        raise author().refuse(f"{setup!r} cannot be a setup; name tasks, or results of tasks")
    return setup


def check_roles(place: Place, what: str, task: Task) -> None:
    """DagError if it is a setup and a teardown at once, or answers for the run without being a teardown."""
    if task.is_setup and task.is_teardown:
        raise place.refuse(f"{what} is a setup and a teardown at once; make it one of them")
    if task.on_failure_fail_dagrun and not task.is_teardown:
        raise place.refuse(f"{what} has on_failure_fail_dagrun, which is for teardowns; a failing task fails its run")


def check_setups(tasks: Iterable[Task]) -> None:
    """DagError if what comes right after a setup could run though the setup failed, as in Airflow."""
    for setup in tasks:
        for after in setup.get_direct_relatives() if setup.is_setup else ():
            if not after.is_teardown and after.trigger_rule is not TriggerRule.ALL_SUCCESS:
                raise after.place.refuse(
                    f"task {after.task_id!r} has trigger_rule {after.trigger_rule!s} and comes right after setup "
                    f"{setup.task_id!r}, which needs all_success there"
                )
