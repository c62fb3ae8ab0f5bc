"""Runs a command."""

from orchestrator.authoring.operators.bash import BashOperator

__all__ = ["BashOperator"]
