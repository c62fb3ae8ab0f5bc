"""EmptyOperator."""

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context


class EmptyOperator(BaseOperator):
    """A task without a body: a place in the graph, done as soon as it may start."""

    does_nothing = True

    def execute(self, context: Context) -> None:
        """Nothing."""
