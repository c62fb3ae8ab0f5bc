"""What the program offers to tests, its own and yours."""

from orchestrator.testing.replaying import HistoryMismatchError, replay

__all__ = ["HistoryMismatchError", "replay"]
