"""ActivityOperator: an activity as the graph, the compiler and the worker see it."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any, Self

from msgspec.structs import replace

from orchestrator.authoring.activity import Activity
from orchestrator.authoring.callables import call
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.core.spec import TaskSpec


class ActivityOperator(BaseOperator):
    """The task of a workflow that stands for all calls of one activity.

    A call's arguments are values that were recorded: they are never rendered. As in a task, parameters named like
    keys of the context are filled from it where the call leaves them out.
    """

    def __init__(self, *, activity: Activity[..., Any], dag: DAG) -> None:
        super().__init__(task_id=activity.activity_id, dag=dag, **activity.settings)
        self.place = activity.place
        self.function = activity.function
        self.args: Sequence[Any] = ()
        self.kwargs: Mapping[str, Any] = {}

    def called(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Self:
        """A copy for one call."""
        ready = copy.copy(self)
        ready.args, ready.kwargs = args, kwargs
        return ready

    def spec(self, defaults: Defaults) -> TaskSpec:
        return replace(super().spec(defaults), operator="activity", is_activity=True)

    def execute(self, context: Context) -> Any:
        return call(self.function, self.args, self.kwargs, context)
