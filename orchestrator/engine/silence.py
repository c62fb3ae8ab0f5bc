"""Silence: a Replayer where no code of workflows is run; their runs wait."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.activations import Activation, Word
from orchestrator.core.events import Recorded


class Silence:
    """Answers nothing, so that the news of a workflow stays news."""

    def start(self) -> None:
        """Nothing to start."""

    def activate(self, activations: Sequence[Activation]) -> None:
        """Nobody hears it."""

    def supply(self, run_key: int, facts: Sequence[Recorded], *, is_all: bool) -> None:
        """Nobody asked."""

    def forget(self, run_keys: Sequence[int]) -> None:
        """Nothing is known."""

    def words(self) -> list[Word]:
        return []

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        return None

    def stop(self) -> None:
        """Nothing runs."""
