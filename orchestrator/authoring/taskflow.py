"""``@task``: tasks made of functions."""

import functools
import inspect
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, TypeAlias, TypeVar, get_type_hints, overload

from orchestrator.authoring.airflow_only import AIRFLOW_TASK_SETTINGS, supported
from orchestrator.authoring.blue import is_blue
from orchestrator.authoring.checks import refuse_unknown
from orchestrator.authoring.conditions import Answer, Condition, both
from orchestrator.authoring.construction import accepted_names
from orchestrator.authoring.groups import unused_task_id
from orchestrator.authoring.mapped_functions import FunctionPartial
from orchestrator.authoring.operator import BaseOperator
from orchestrator.authoring.operators.bash import BashFunctionOperator
from orchestrator.authoring.operators.other_python import BranchExternalPythonOperator, ExternalPythonOperator
from orchestrator.authoring.operators.python import BranchPythonOperator, PythonOperator, ShortCircuitOperator
from orchestrator.authoring.operators.sensing import PythonSensor
from orchestrator.authoring.operators.virtualenv import BranchPythonVirtualenvOperator, PythonVirtualenvOperator
from orchestrator.authoring.place import author
from orchestrator.authoring.references import XComArg
from orchestrator.authoring.runtime import Context, current_runtime
from orchestrator.authoring.settings import MAKING
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

_Params = ParamSpec("_Params")
_Conditional = TypeVar("_Conditional", bound="TaskFunction[...] | BaseOperator")
_Operator: TypeAlias = type[PythonOperator] | type[BashFunctionOperator] | type[PythonSensor]
_FROM_CALL = {"python_callable", "op_args", "op_kwargs"}


class Role(NamedTuple):
    """What the tasks of a function are for: work, unless they are setups or teardowns."""

    is_setup: bool = False
    is_teardown: bool = False
    on_failure_fail_dagrun: bool = False


class TaskFunction(Generic[_Params]):
    """A function under ``@task``: a call inside a DAG makes a task and returns a reference to its result.

    ``function`` is the author's own; call that to run it as plain Python.
    """

    def __init__(
        self,
        function: Callable[_Params, Any],
        operator: _Operator,
        settings: dict[str, Any],
        role: Role = Role(),  # noqa: B008 - a value that nothing changes
    ) -> None:
        if role.is_teardown and "trigger_rule" in settings:
            raise author().refuse(
                f"teardown {function.__name__!r} has a trigger_rule, but when teardowns run is settled; remove it"
            )
        self.function = function
        self.operator_class = operator
        self.settings = settings
        self.role = role
        functools.update_wrapper(self, function)

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> Any:
        # Any and not XComArg: to a type checker the reference is what it stands for, and may be passed on as such.
        self._refuse_outside_of_parsing()
        made = self.operator_class(
            python_callable=self.function, op_args=args, op_kwargs=kwargs, **self.settings_of_task()
        )
        return self._in_role(XComArg(made))

    def partial(self, **arguments: Any) -> FunctionPartial:
        """Arguments that all instances of a mapped task have; ``.expand(…)`` says what it is mapped over."""
        self._refuse_outside_of_parsing()
        return FunctionPartial(self.function, self.operator_class, arguments, self.settings_of_task, self._in_role)

    def expand(self, **mapped: Any) -> Any:
        """A task with one instance for each combination of the items of these arguments; gives their results."""
        return self.partial().expand(**mapped)

    def expand_kwargs(self, mapped: Any, *, strict: bool = True) -> Any:
        """A task with one instance for each dict of arguments; gives their results."""
        return self.partial().expand_kwargs(mapped, strict=strict)

    def settings_of_task(self) -> dict[str, Any]:
        """What the next task that is made of it is given, with an id that the DAG does not have yet."""
        name, doc = self.function.__name__, inspect.getdoc(self.function)
        settings = {"task_id": name, "doc_md": doc or None, **self.settings}
        if settings.get("multiple_outputs") is None:
            settings["multiple_outputs"] = self._returns_a_dict
        settings["task_id"] = unused_task_id(author(), settings)
        return settings

    def _refuse_outside_of_parsing(self) -> None:
        name = self.function.__name__
        if is_blue():
            raise UsageError(
                f"task function {name!r} was called in a workflow, which calls activities; "
                f"put @activity over it, or call {name}.function(…) if it has no effect"
            )
        if current_runtime() is not None:
            raise UsageError(
                f"task function {name!r} was called while a task runs; call {name}.function(…) to run it as a plain "
                f"function"
            )

    @functools.cached_property
    def _returns_a_dict(self) -> bool:
        """What its hint says; one that cannot be found says nothing."""
        hint = getattr(self.function, "__annotations__", {}).get("return")
        if isinstance(hint, str):
            try:
                # of it alone: the hints of parameters may speak of what is there for type checkers only
                alone = SimpleNamespace(__annotations__={"return": hint})
                hint = get_type_hints(alone, getattr(self.function, "__globals__", {})).get("return")
            except (NameError, TypeError, SyntaxError, AttributeError):
                return False
        kind = getattr(hint, "__origin__", hint)
        return isinstance(kind, type) and issubclass(kind, Mapping)

    def _in_role(self, made: XComArg) -> XComArg:
        if self.role.is_setup:
            return made.as_setup()
        if self.role.is_teardown:
            return made.as_teardown(on_failure_fail_dagrun=self.role.on_failure_fail_dagrun)
        return made

    def override(self, **settings: Any) -> "TaskFunction[_Params]":
        """The same function with other settings: ``load.override(task_id="again", retries=3)(rows)``."""
        role = self.role
        if role.is_teardown and "on_failure_fail_dagrun" in settings:
            role = role._replace(on_failure_fail_dagrun=settings.pop("on_failure_fail_dagrun"))
        given = {**self.settings, **_checked(self.operator_class, settings)}
        return TaskFunction(self.function, self.operator_class, given, role)

    def in_role(self, role: Role) -> "TaskFunction[_Params]":
        """The same, for setups or teardowns."""
        return TaskFunction(self.function, self.operator_class, self.settings, role)

    def with_condition(self, condition: Condition) -> "TaskFunction[_Params]":
        """The same, with tasks that ``condition`` may skip."""
        return self.override(pre_execute=both(self.settings.get("pre_execute"), condition))


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
        if _takes_self(function):
            raise author().refuse(
                f"@task does not decorate methods, and {function.__name__!r} takes self; "
                f"decorate a function, or the method of an object: task(thing.{function.__name__})"
            )
        return TaskFunction(function, self._operator, settings)


def _takes_self(function: Callable[..., Any]) -> bool:
    try:
        return "self" in inspect.signature(function).parameters
    except (ValueError, TypeError):  # a builtin that does not say what it takes
        return False


class TaskDecorators(TaskDecorator):
    """``task`` itself, with its flavours."""

    branch = TaskDecorator(BranchPythonOperator)
    short_circuit = TaskDecorator(ShortCircuitOperator)
    bash = TaskDecorator(BashFunctionOperator)
    sensor = TaskDecorator(PythonSensor)
    virtualenv = TaskDecorator(PythonVirtualenvOperator)
    branch_virtualenv = TaskDecorator(BranchPythonVirtualenvOperator)
    external_python = TaskDecorator(ExternalPythonOperator)
    branch_external_python = TaskDecorator(BranchExternalPythonOperator)

    def run_if(
        self, condition: Callable[[Context], Answer], skip_message: str | None = None
    ) -> Callable[[_Conditional], _Conditional]:
        """Over ``@task``: its tasks are skipped unless ``condition(context)`` is true when they would run."""
        return _conditional("run_if", Condition(condition, skip_message, wanted=True))

    def skip_if(
        self, condition: Callable[[Context], Answer], skip_message: str | None = None
    ) -> Callable[[_Conditional], _Conditional]:
        """Over ``@task``: its tasks are skipped if ``condition(context)`` is true when they would run."""
        return _conditional("skip_if", Condition(condition, skip_message, wanted=False))

    if not TYPE_CHECKING:  # to a type checker a flavour that is not there is what it is: an error

        def __getattr__(self, name: str) -> Any:
            near = did_you_mean(name, [known for known in dir(type(self)) if not known.startswith("_")])
            raise AttributeError(
                f"there is no @task.{name} here{near or '; @task runs any Python function, and @task.bash any command'}"
            )


def _conditional(name: str, condition: Condition) -> Callable[[Any], Any]:
    def decorate(task: Any) -> Any:
        if isinstance(task, TaskFunction):
            return task.with_condition(condition)
        if not isinstance(task, BaseOperator):
            shown = getattr(task, "__name__", task)
            raise author().refuse(f"@task.{name}(…) stands over @task, or is given an operator, not {shown!r}")
        task.add_condition(condition)
        return task

    return decorate


def _checked(operator: _Operator, settings: dict[str, Any]) -> dict[str, Any]:
    place = author()
    given = supported(place, "@task", settings, AIRFLOW_TASK_SETTINGS)
    refuse_unknown(place, "@task", given, (accepted_names(operator) | {*MAKING}) - _FROM_CALL)
    return given


task = TaskDecorators(PythonOperator)
run_if, skip_if = task.run_if, task.skip_if
