"""Stillness: a Triggerer where no triggers run; what is deferred to one waits."""

from collections.abc import Sequence
from datetime import datetime

from orchestrator.core.orders import Fired
from orchestrator.core.waits import Dropped, Ticket, Wait


class Stillness:
    """Nothing ever comes."""

    def start(self) -> None:
        """Nothing to start."""

    def submit(self, waits: Sequence[Wait]) -> None:
        """Nobody looks out for it."""

    def cancel(self, tickets: Sequence[Ticket]) -> None:
        """Nothing is held."""

    def reports(self) -> list[Fired | Dropped]:
        return []

    def files(self) -> Sequence[int]:
        return ()

    def next_due(self) -> datetime | None:
        return None

    def stop(self) -> None:
        """Nothing runs."""
