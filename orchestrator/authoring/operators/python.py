"""PythonOperator, and those that decide by what their function returns."""

import inspect
from collections.abc import Callable, Generator, Mapping, Sequence
from typing import Any, Unpack

from orchestrator.authoring.assets import Metadata
from orchestrator.authoring.branching import Branching
from orchestrator.authoring.callables import call, checked_arguments
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.settings import TaskSettings
from orchestrator.exceptions import UsageError


class PythonOperator(BaseOperator):
    """Calls ``python_callable(*op_args, **op_kwargs)``; what it returns is the result.

    Parameters named like keys of the context (``ti``, ``ds``, ``params``, …) are filled from it, ``**context`` takes
    all of it. ``templates_dict`` is rendered and put into the context under that name; a text in it that ends with one
    of ``templates_exts`` names a template file. The result is recorded and not written into the log, whatever
    ``show_return_value_in_logs`` says.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Sequence[Any] | Reference | None = None,
        op_kwargs: Mapping[str, Any] | Reference | None = None,
        templates_dict: dict[str, Any] | None = None,
        templates_exts: Sequence[str] | None = None,
        show_return_value_in_logs: bool = True,
        **settings: Unpack[TaskSettings],
    ) -> None:
        super().__init__(**settings)
        if templates_exts:
            self.template_ext = tuple(templates_exts)
        self.show_return_value_in_logs = show_return_value_in_logs
        what = f"task {self.task_id!r}"
        self.python_callable = python_callable
        self.op_args, self.op_kwargs = checked_arguments(self.place, what, python_callable, op_args, op_kwargs)
        self.templates_dict = templates_dict

    def execute(self, context: Context) -> Any:
        if self.templates_dict is not None:
            context["templates_dict"] = self.templates_dict
        result = call(self.python_callable, self.op_args, self.op_kwargs, context)
        return _returned(result, self.task_id) if inspect.isgenerator(result) else result


def _returned(body: Generator[Any, Any, Any], task_id: str) -> Any:
    """What a function with a ``yield`` returns in the end; UsageError where it yields anything but Metadata."""
    while True:
        try:
            said = next(body)
        except StopIteration as end:
            return end.value
        if not isinstance(said, Metadata):
            body.close()
            raise UsageError(f"task {task_id!r} yields {said!r}; return what its result is, a list of several things")


class BranchPythonOperator(Branching, PythonOperator):
    """Goes on with the tasks whose id, or list of ids, its function returns; see Branching."""


class ShortCircuitOperator(PythonOperator):
    """Goes on only if its function returns something true; else what comes after it is skipped.

    ``ignore_downstream_trigger_rules``: everything downstream is skipped; if False, only the tasks right after this
    one, and the trigger rules of those behind decide.
    """

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        ignore_downstream_trigger_rules: bool = True,
        **settings: Any,
    ) -> None:
        super().__init__(python_callable=python_callable, **settings)
        self.ignore_downstream_trigger_rules = ignore_downstream_trigger_rules

    def skips(self, result: Any) -> tuple[str, ...]:
        """Nothing if ``result`` is true; teardowns are never skipped."""
        if result:
            return super().skips(result)
        after = self.get_flat_relative_ids() if self.ignore_downstream_trigger_rules else self.downstream_task_ids
        return tuple(sorted(name for name in after if not self.dag.get_task(name).is_teardown))
