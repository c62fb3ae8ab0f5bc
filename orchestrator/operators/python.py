"""Calls Python functions."""

from orchestrator.authoring.operators.other_python import BranchExternalPythonOperator, ExternalPythonOperator
from orchestrator.authoring.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from orchestrator.authoring.operators.virtualenv import BranchPythonVirtualenvOperator, PythonVirtualenvOperator
from orchestrator.authoring.runtime import get_current_context

__all__ = [
    "BranchExternalPythonOperator",
    "BranchPythonOperator",
    "BranchPythonVirtualenvOperator",
    "ExternalPythonOperator",
    "PythonOperator",
    "PythonVirtualenvOperator",
    "ShortCircuitOperator",
    "get_current_context",
]
