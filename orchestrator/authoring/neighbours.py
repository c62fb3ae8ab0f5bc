"""Neighbours: what other runs have come to, as a body that waits for them sees it."""

from collections.abc import Callable, Collection
from datetime import datetime
from typing import ClassVar, Protocol

from orchestrator.core.spec import DagSpec
from orchestrator.exceptions import UsageError


class Neighbours(Protocol):
    """The home's other runs: by their ids, or the latest one of each logical date."""

    def position(self) -> int:
        """A number that has risen whenever anything here has changed."""

    def spec(self, dag_id: str) -> DagSpec | None:
        """The DAG as it is now; None where there is none."""

    def run_state(self, dag_id: str, run: datetime | str) -> str | None:
        """None where there is no such run."""

    def task_states(self, dag_id: str, run: datetime | str, task_ids: Collection[str]) -> dict[str, set[str]]:
        """The states that the activities of each task are in; "none" is among them where one has not begun."""


class _Kept:
    """How the neighbours are opened in this process, the same in all of its threads."""

    opening: ClassVar[Callable[[], Neighbours] | None] = None


def keep_neighbours(opening: Callable[[], Neighbours] | None) -> Callable[[], Neighbours] | None:
    """Let all code of this process see these from now on; what it saw before."""
    before, _Kept.opening = _Kept.opening, opening
    return before


def has_neighbours() -> bool:
    """Whether runs are recorded here."""
    return _Kept.opening is not None


def neighbours() -> Neighbours:
    """UsageError where no runs are recorded."""
    opening = _Kept.opening
    if opening is None:
        raise UsageError("no runs are recorded here, so there is no other run to wait for")
    return opening()
