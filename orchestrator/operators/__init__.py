"""Operators, as a DAG file imports them: ``from orchestrator.operators import BashOperator``."""

from orchestrator.authoring.branching import BaseBranchOperator
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.operators.bash import BashOperator
from orchestrator.authoring.operators.empty import EmptyOperator
from orchestrator.authoring.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator

__all__ = [
    "BaseBranchOperator",
    "BaseOperator",
    "BashOperator",
    "BranchPythonOperator",
    "EmptyOperator",
    "PythonOperator",
    "ShortCircuitOperator",
]
