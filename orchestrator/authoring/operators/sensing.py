"""PythonSensor, and what ``@task.sensor`` makes: a function says whether what it waits for is so."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from orchestrator.authoring.callables import call, checked_arguments
from orchestrator.authoring.references import Reference
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.sensor import BaseSensorOperator, PokeReturnValue


class PythonSensor(BaseSensorOperator):
    """Waits until ``python_callable(*op_args, **op_kwargs)`` returns something true, or a PokeReturnValue that is done.

    Its parameters are filled as those of a PythonOperator's function.
    """

    template_fields: Sequence[str] = ("templates_dict", "op_args", "op_kwargs")

    def __init__(
        self,
        *,
        python_callable: Callable[..., Any],
        op_args: Sequence[Any] | Reference | None = None,
        op_kwargs: Mapping[str, Any] | Reference | None = None,
        templates_dict: dict[str, Any] | None = None,
        **settings: Any,
    ) -> None:
        super().__init__(**settings)
        what = f"sensor {self.task_id!r}"
        self.python_callable = python_callable
        self.op_args, self.op_kwargs = checked_arguments(self.place, what, python_callable, op_args, op_kwargs)
        self.templates_dict = templates_dict

    def poke(self, context: Context) -> bool | PokeReturnValue:
        if self.templates_dict is not None:
            context["templates_dict"] = self.templates_dict
        found = call(self.python_callable, self.op_args, self.op_kwargs, context)
        return found if isinstance(found, PokeReturnValue) else bool(found)
