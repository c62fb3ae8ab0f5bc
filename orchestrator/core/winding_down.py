"""Winding down: what a cancellation ends, and what it leaves to take down what was set up."""

from datetime import datetime
from typing import Any

from orchestrator.core.activity import Node
from orchestrator.core.board import Place
from orchestrator.core.rewind import RewindableBoard
from orchestrator.names import FINISHED


class CancellableBoard(RewindableBoard):
    """A board that can be cancelled: its teardowns still run, unless it is cancelled again.

    ``cancelling`` is why, None if it is not; ``is_abandoned``: it was cancelled again.
    """

    def __init__(self, *laid_out: Any) -> None:
        super().__init__(*laid_out)
        self.started_at: datetime | None = None
        self.paused = False
        self.cancelling: str | None = None
        self.is_abandoned = False

    def holds_back(self, node: Node) -> bool:
        """Whether a pause or a cancellation lets it start nothing; being cancelled, a run starts its teardowns."""
        return self.paused if self.cancelling is None else not self.takes_down(node)

    def takes_down(self, node: Node) -> bool:
        """Whether a cancellation leaves it alone: a teardown, if the run has begun and was not cancelled again."""
        return node.task.is_teardown and self.started_at is not None and not self.is_abandoned

    def is_taking_down(self) -> bool:
        """Whether it is being cancelled and a teardown of it has still to end."""
        if self.cancelling is None:
            return False
        down = (node for node in self.nodes.values() if self.takes_down(node))
        return any(activity.state not in FINISHED for node in down for _, activity in node.activities())

    def _wind_down(self) -> None:
        """End what is open but for teardowns, and look at everything else again."""
        self._doom_all([place for place in self.open if not self._is_left_alone(place)])
        self.agenda = dict.fromkeys(self.nodes)

    def _is_left_alone(self, place: Place) -> bool:
        node = self.nodes.get(place[0])
        return node is not None and self.takes_down(node)

    def _abandon(self) -> None:
        """End the teardowns too."""
        self.is_abandoned = True
        down = {name for name, node in self.nodes.items() if node.task.is_teardown}
        self._doom_all([place for place in self.open if place[0] in down])
        self.agenda |= dict.fromkeys(sorted(down))

    def _call_off(self) -> None:
        """The run is not being cancelled any more."""
        self.cancelling, self.is_abandoned = None, False
