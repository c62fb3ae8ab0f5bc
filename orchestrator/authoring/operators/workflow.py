"""WorkflowOperator: a workflow as a node of a DAG."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Unpack

from orchestrator.authoring.deferral import Deferral
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.settings import TaskSettings


class WorkflowOperator(BaseOperator):
    """Runs a workflow and waits for it, holding no worker; its result is the task's.

    The arguments are resolved and rendered as those of any task, then ``conf_of`` makes the run's conf of them.
    """

    template_fields: Sequence[str] = ("op_args", "op_kwargs")

    def __init__(
        self,
        *,
        workflow_id: str,
        conf_of: Callable[..., dict[str, Any]],
        op_args: Sequence[Any],
        op_kwargs: Mapping[str, Any],
        **settings: Unpack[TaskSettings],
    ) -> None:
        super().__init__(**settings)
        self.workflow_id = workflow_id
        self.conf_of = conf_of
        self.op_args = tuple(op_args)
        self.op_kwargs = dict(op_kwargs)

    def execute(self, context: Context) -> Deferral:  # noqa: ARG002 - all that it needs is in its fields
        """A run of the workflow, to be waited for."""
        conf = self.conf_of(*self.op_args, **self.op_kwargs)
        return Deferral({"run": {"dag_id": self.workflow_id, "conf": conf}})
