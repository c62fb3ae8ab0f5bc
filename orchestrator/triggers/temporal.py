"""Triggers of time."""

from orchestrator.authoring.triggers import DateTimeTrigger, TimeDeltaTrigger

__all__ = ["DateTimeTrigger", "TimeDeltaTrigger"]
