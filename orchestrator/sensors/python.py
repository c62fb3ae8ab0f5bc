"""Waits for what a Python function says."""

from orchestrator.authoring.operators.sensing import PythonSensor

__all__ = ["PythonSensor"]
