"""The command line."""

from orchestrator.cli.program import main

__all__ = ["main"]
