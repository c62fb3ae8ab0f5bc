"""BaseAsyncOperator: an operator whose body is a coroutine."""

from typing import Any

from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context


class BaseAsyncOperator(BaseOperator):
    """A task whose body is ``aexecute(context)``, awaited in the worker; derive from it."""

    is_async = True

    async def aexecute(self, context: Context) -> Any:
        """The task's body; what it returns is the task's result."""
        raise NotImplementedError(f"{type(self).__name__} has no async aexecute(self, context); define what it does")

    def execute(self, context: Context) -> Any:
        return self.aexecute(context)
