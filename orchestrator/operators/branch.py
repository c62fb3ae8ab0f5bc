"""Operators that choose how to go on; derive from BaseBranchOperator."""

from orchestrator.authoring.branching import BaseBranchOperator

__all__ = ["BaseBranchOperator"]
