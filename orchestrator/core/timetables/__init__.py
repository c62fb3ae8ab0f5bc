"""Timetables: which moments a schedule names, and what a run at each stands for."""

from orchestrator.core.timetables.notation import PRESETS, parse_schedule
from orchestrator.core.timetables.slot import Slot, Timetable
from orchestrator.core.timetables.slots import next_slot, upcoming

__all__ = ["PRESETS", "Slot", "Timetable", "next_slot", "parse_schedule", "upcoming"]
