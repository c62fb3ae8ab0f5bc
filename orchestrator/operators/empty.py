"""Does nothing."""

from orchestrator.authoring.operators.empty import EmptyOperator

__all__ = ["EmptyOperator"]
