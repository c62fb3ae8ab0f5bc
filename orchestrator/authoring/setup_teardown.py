"""``@setup`` and ``@teardown``: functions whose tasks prepare what others need, and take it down again."""

from collections.abc import Callable
from typing import Any, ParamSpec, overload

from orchestrator.authoring.groups import TaskGroup
from orchestrator.authoring.place import author
from orchestrator.authoring.scopes import Block
from orchestrator.authoring.task_groups import TaskGroupFunction
from orchestrator.authoring.taskflow import Role, TaskFunction, task

_Params = ParamSpec("_Params")

context_wrapper = ContextWrapper = Block


def setup(func: Callable[_Params, Any]) -> TaskFunction[_Params]:
    """Its tasks are setups: over a function, or over ``@task`` with settings."""
    return _task_function("setup", func).in_role(Role(is_setup=True))


@overload
def teardown(_func: Callable[_Params, Any]) -> TaskFunction[_Params]: ...
@overload
def teardown(*, on_failure_fail_dagrun: bool = False) -> Callable[[Callable[_Params, Any]], TaskFunction[_Params]]: ...
def teardown(_func: Callable[..., Any] | None = None, *, on_failure_fail_dagrun: bool = False) -> Any:
    """Its tasks are teardowns, whose failure fails a run only if ``on_failure_fail_dagrun``."""
    role = Role(is_teardown=True, on_failure_fail_dagrun=on_failure_fail_dagrun)

    def decorate(func: Callable[..., Any]) -> TaskFunction[...]:
        return _task_function("teardown", func).in_role(role)

    return decorate if _func is None else decorate(_func)


def _task_function(name: str, func: Callable[_Params, Any]) -> TaskFunction[_Params]:
    if isinstance(func, TaskFunction):
        return func
    if isinstance(func, TaskGroupFunction | TaskGroup):
        raise author().refuse(f"@{name} is for tasks, and no group of them can be one; put it over the tasks inside")
    return task(func)
