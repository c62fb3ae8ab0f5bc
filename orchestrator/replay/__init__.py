"""Replays the code of workflows: told the facts of a run, it asks for what comes next. Pure: no process, no I/O."""

from orchestrator.replay.machine import Machine

__all__ = ["Machine"]
