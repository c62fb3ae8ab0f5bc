"""The command line."""

from orchestrator.cli.program import main, orchestrator

__all__ = ["main", "orchestrator"]
