"""Parenthood: the children of a run, and which of them nobody wants any more."""

from collections.abc import Iterable
from typing import Any

from orchestrator.core.events import ChildEnded, ChildStarted
from orchestrator.core.winding_down import CancellableBoard
from orchestrator.names import ParentClose, TaskState


class ParentalBoard(CancellableBoard):
    """A board whose activities may wait for runs that were started for them: ``children``, by name, while they are
    open. ``unwanted`` are those to cancel.
    """

    def __init__(self, *laid_out: Any) -> None:
        super().__init__(*laid_out)
        self.children: dict[str, ChildStarted] = {}
        self.unwanted: list[ChildStarted] = []

    def awaits(self, child_id: str, child_run_key: int) -> bool:
        """Whether that run is the child of that name, and its end is still to be recorded here."""
        child = self.children.get(child_id)
        return child is not None and child.child_run_key == child_run_key

    def take_unwanted(self) -> list[ChildStarted]:
        """The children to cancel that nobody has been told of."""
        unwanted, self.unwanted = self.unwanted, []
        return unwanted

    def _child_started(self, event: ChildStarted) -> None:
        self.children[event.child_id] = event

    def _child_ended(self, event: ChildEnded) -> None:
        self.children.pop(event.child_id, None)

    def _disown(self, children: Iterable[ChildStarted]) -> None:
        """Have these cancelled, unless they go on without their parent."""
        self.unwanted += (child for child in children if child.child_run_key and child.close is ParentClose.CANCEL)

    def _disown_of(self, task_id: str, map_index: int, attempt: int) -> None:
        child = self.children.get(child_of(task_id, map_index, attempt))
        if child is not None:
            self._disown([child])

    def _rewind_children(self, _past: Any) -> None:
        """A task's child goes on where its task does."""
        for child_id, child in self.children.items():
            task_id, map_index, attempt = child_id.rsplit("/", 2)
            activity = self.nodes[task_id].peek(int(map_index)) if task_id in self.nodes else None
            if activity is None or (activity.state, activity.attempt) != (TaskState.DEFERRED, int(attempt)):
                self._disown([child])


def child_of(task_id: str, map_index: int, attempt: int) -> str:
    """By what name a run knows the child that an attempt of its task waits for."""
    return f"{task_id}/{map_index}/{attempt}"
