"""Offspring: the runs that a run started, and how they stand."""

import msgspec

from orchestrator.assembly.home import Home
from orchestrator.core.events import ChildEnded, ChildStarted
from orchestrator.exceptions import NotFoundError
from orchestrator.names import BlockKind, ParentClose, RunState


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A run that this one started; ``state`` is None where it is deleted. ``blocked``: why its code cannot go on, and
    ``message`` that in words."""

    child_id: str
    dag_id: str
    run_id: str
    state: RunState | None
    blocked: BlockKind | None = None
    message: str = ""
    close: ParentClose


class Offspring:
    """Looked at again and again, it reads each fact once."""

    def __init__(self, home: Home, run_key: int) -> None:
        self._home = home
        self._run_key = run_key
        self._seen = 0
        self._started: dict[str, ChildStarted] = {}
        self._ended: dict[str, Child] = {}

    def look(self, until: int) -> tuple[Child, ...]:
        """The children up to the fact ``until``, in order; those that are open stand as they do now."""
        if until > self._seen:
            self._read(until)
        return tuple(self._ended.get(name) or self._now(child) for name, child in self._started.items())

    def _read(self, until: int) -> None:
        kinds = (ChildStarted, ChildEnded)
        for fact in self._home.reads.facts_of(self._run_key, kinds, after=self._seen, until=until):
            match fact.event:
                case ChildStarted() as child:
                    self._started[child.child_id] = child
                    self._ended.pop(child.child_id, None)
                case ChildEnded(child_id=name, state=state) if name in self._started:
                    self._ended[name] = _child(self._started[name], state)
        self._seen = until

    def _now(self, child: ChildStarted) -> Child:
        try:
            run = self._home.reads.run_by_key(child.child_run_key)
        except NotFoundError:
            return _child(child, None)
        return _child(child, run.state, run.blocked, run.reason if run.blocked else "")


def _child(started: ChildStarted, state: RunState | None, blocked: BlockKind | None = None, message: str = "") -> Child:
    return Child(
        child_id=started.child_id,
        dag_id=started.dag_id,
        run_id=started.run_id,
        state=state,
        blocked=blocked,
        message=message,
        close=started.close,
    )
