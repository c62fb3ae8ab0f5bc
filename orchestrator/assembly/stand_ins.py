"""Stand-ins: what runs in the place of a task's body, so that its side effect does not happen."""

import copy
from collections.abc import Mapping
from typing import Any

from orchestrator.authoring.callables import call
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.operators.activity import ActivityOperator
from orchestrator.authoring.operators.python import PythonOperator
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.task import Task
from orchestrator.exceptions import NotFoundError
from orchestrator.nearest import did_you_mean


def with_stand_ins(dag: DAG, stand_ins: Mapping[str, Any]) -> DAG:
    """A copy of the DAG in which the tasks named do something else; NotFoundError names the nearest task.

    A function is called as the task's own would be: with the same arguments in the place of a Python function, and of
    any other body with those keys of the context that its parameters name. Anything else is the result.
    """
    if not stand_ins:
        return dag
    for task_id in stand_ins:
        if task_id not in dag.task_dict:
            near = did_you_mean(task_id, dag.task_dict)
            raise NotFoundError(f"{dag!r} has no task {task_id!r} to put a stand-in in the place of{near}")
    copied = copy.copy(dag)
    replaced = {task_id: _replaced(dag.task_dict[task_id], act) for task_id, act in stand_ins.items()}
    copied.task_dict = {**dag.task_dict, **replaced}
    return copied


def _replaced(task: Task, act: Any) -> Task:
    found = copy.copy(task)
    if isinstance(found, ActivityOperator):
        found.function = act if callable(act) else _giving(act)
        return found

    def prepare(context: Context, results: Mapping[str, Any]) -> Task:
        return _acting(task.prepare(context, results), act)

    setattr(found, "prepare", prepare)  # noqa: B010 - of this one object
    return found


def _acting(ready: Task, act: Any) -> Task:
    function = act if callable(act) else _giving(act)
    if isinstance(ready, PythonOperator):
        ready.python_callable = function
        return ready
    setattr(ready, "execute", lambda context: call(function, (), {}, context))  # noqa: B010 - of this one object
    return ready


def _giving(result: Any) -> Any:
    def give(*_: Any, **__: Any) -> Any:
        return result

    return give
