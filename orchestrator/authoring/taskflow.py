"""``@task``: tasks made of functions."""

import functools
import inspect
from collections.abc import Callable
from typing import Any, Generic, ParamSpec, TypeAlias, overload

from orchestrator.authoring.airflow_only import AIRFLOW_TASK_SETTINGS, supported
from orchestrator.authoring.blue import is_blue
from orchestrator.authoring.checks import refuse_unknown
from orchestrator.authoring.construction import accepted_names
from orchestrator.authoring.dag import current_dag
from orchestrator.authoring.operators.bash import BashFunctionOperator
from orchestrator.authoring.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from orchestrator.authoring.place import author
from orchestrator.authoring.references import XComArg
from orchestrator.authoring.runtime import current_runtime
from orchestrator.authoring.task import TaskGraph
from orchestrator.exceptions import UsageError

_Params = ParamSpec("_Params")
_Operator: TypeAlias = type[PythonOperator] | type[BashFunctionOperator]
_FROM_CALL = {"python_callable", "op_args", "op_kwargs"}


class TaskFunction(Generic[_Params]):
    """A function under ``@task``: a call inside a DAG makes a task and returns a reference to its result.

    ``function`` is the author's own; call that to run it as plain Python.
    """

    def __init__(self, function: Callable[_Params, Any], operator: _Operator, settings: dict[str, Any]) -> None:
        self.function = function
        self.operator_class = operator
        self.settings = settings
        functools.update_wrapper(self, function)

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> Any:
        # Any and not XComArg: to a type checker the reference is what it stands for, and may be passed on as such.
        if is_blue():
            raise UsageError(
                f"task function {self.function.__name__!r} was called in a workflow, which calls activities; "
                f"put @activity over it, or call {self.function.__name__}.function(…) if it has no effect"
            )
        if current_runtime() is not None:
            raise UsageError(
                f"task function {self.function.__name__!r} was called while a task runs; "
                f"call {self.function.__name__}.function(…) to run it as a plain function"
            )
        settings = {"task_id": self.function.__name__, "doc_md": inspect.getdoc(self.function) or None, **self.settings}
        graph = settings.get("dag") or current_dag()
        if isinstance(graph, TaskGraph) and isinstance(settings["task_id"], str):
            settings["task_id"] = graph.unused_id(settings["task_id"])
        made = self.operator_class(python_callable=self.function, op_args=args, op_kwargs=kwargs, **settings)
        return XComArg(made)

    def override(self, **settings: Any) -> "TaskFunction[_Params]":
        """The same function with other settings: ``load.override(task_id="again", retries=3)(rows)``."""
        return TaskFunction(
            self.function, self.operator_class, {**self.settings, **_checked(self.operator_class, settings)}
        )


class TaskDecorator:
    """``@task``, or one of its flavours: with or without parentheses, with any setting of its operator."""

    def __init__(self, operator: _Operator) -> None:
        self._operator = operator

    @overload
    def __call__(self, python_callable: Callable[_Params, Any]) -> TaskFunction[_Params]: ...
    @overload
    def __call__(self, **settings: Any) -> Callable[[Callable[_Params, Any]], TaskFunction[_Params]]: ...
    def __call__(self, python_callable: Callable[..., Any] | None = None, **settings: Any) -> Any:
        checked = _checked(self._operator, settings)
        if python_callable is None:
            return functools.partial(self._decorate, settings=checked)
        return self._decorate(python_callable, settings=checked)

    def _decorate(self, function: Any, *, settings: dict[str, Any]) -> TaskFunction[...]:
        if not callable(function) or not hasattr(function, "__name__"):
            raise author().refuse(f"@task decorates a function, not {function!r}")
        return TaskFunction(function, self._operator, settings)


class TaskDecorators(TaskDecorator):
    """``task`` itself, with its flavours."""

    branch = TaskDecorator(BranchPythonOperator)
    short_circuit = TaskDecorator(ShortCircuitOperator)
    bash = TaskDecorator(BashFunctionOperator)


def _checked(operator: _Operator, settings: dict[str, Any]) -> dict[str, Any]:
    place = author()
    given = supported(place, "@task", settings, AIRFLOW_TASK_SETTINGS)
    refuse_unknown(place, "@task", given, (accepted_names(operator) | {"dag", "default_args"}) - _FROM_CALL)
    return given


task = TaskDecorators(PythonOperator)
