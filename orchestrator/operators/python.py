"""Calls Python functions."""

from orchestrator.authoring.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from orchestrator.authoring.runtime import get_current_context

__all__ = ["BranchPythonOperator", "PythonOperator", "ShortCircuitOperator", "get_current_context"]
