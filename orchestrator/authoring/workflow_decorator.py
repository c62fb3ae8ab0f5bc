"""``@workflow``: its settings, and what it refuses."""

import functools
import inspect
from collections.abc import Callable, Coroutine, Iterable, Mapping
from datetime import datetime, tzinfo
from typing import Any, ParamSpec, Protocol, TypedDict, TypeVar, Unpack, overload

from orchestrator.authoring.blue import is_blue
from orchestrator.authoring.callbacks import CALLBACK_SETTINGS, refuse_callbacks
from orchestrator.authoring.checks import anything, check_all, choice, refuse_unknown
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.settings import DAG_CHECKS, Duration, ScheduleArg
from orchestrator.authoring.workflow_definition import AsyncWorkflow, PlainWorkflow, Workflow, WorkflowMaker
from orchestrator.names import NewVersion

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Result_co = TypeVar("_Result_co", covariant=True)

_OF_GRAPHS = {
    "allowed_run_types",
    "dag_display_name",
    "default_args",
    "fail_fast",
    "jinja_environment_kwargs",
    "owner_links",
    "params",
    "render_template_as_native_obj",
    "template_searchpath",
    "template_undefined",
    "user_defined_filters",
    "user_defined_macros",
}
WORKFLOW_CHECKS = {
    **{name: check for name, check in DAG_CHECKS.items() if name not in _OF_GRAPHS | CALLBACK_SETTINGS},
    "dag_id": anything,
    "on_new_version": choice(NewVersion),
    "state": anything,
}


class WorkflowSettings(TypedDict, total=False):
    """What ``@workflow`` takes: the settings of a DAG that mean something without a graph, and its own."""

    dag_id: str
    description: str | None
    schedule: ScheduleArg
    start_date: datetime | None
    end_date: datetime | None
    timezone: str | tzinfo | None
    catchup: bool | None
    max_active_tasks: int | None
    max_active_runs: int | None
    max_consecutive_failed_dag_runs: int | None
    dagrun_timeout: Duration | None
    tags: Iterable[str] | None
    doc_md: str | None
    is_paused_upon_creation: bool | None
    on_new_version: NewVersion | str
    state: Any


class HasRun(Protocol[_Params, _Result_co]):
    """A class that can be a workflow."""

    def run(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result_co: ...


class Settled(Protocol):
    """``@workflow(…)``, with its settings given."""

    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first that fits is meant
        self, function: type[HasRun[_Params, Any]], /
    ) -> Workflow[_Params, Any]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first that fits is meant
        self, function: Callable[_Params, Coroutine[Any, Any, _Result]], /
    ) -> AsyncWorkflow[_Params, _Result]: ...
    @overload
    def __call__(self, function: Callable[_Params, _Result], /) -> PlainWorkflow[_Params, _Result]: ...


class WorkflowDecorator(WorkflowMaker):
    """``@workflow``, with or without settings, over a function (plain or ``async def``) or a class with ``run``."""

    __slots__ = ()

    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first that fits is meant
        self, function: type[HasRun[_Params, Any]], /
    ) -> Workflow[_Params, Any]: ...
    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first that fits is meant
        self, function: Callable[_Params, Coroutine[Any, Any, _Result]], /
    ) -> AsyncWorkflow[_Params, _Result]: ...
    @overload
    def __call__(self, function: Callable[_Params, _Result], /) -> PlainWorkflow[_Params, _Result]: ...
    @overload
    def __call__(self, **settings: Unpack[WorkflowSettings]) -> Settled: ...
    def __call__(self, *given: Any, **settings: Any) -> Any:
        """The workflow; its dag_id is the function's name unless given, its docstring the doc.

        DagError, with the author's file and line, if a setting is unknown or impossible, or what it stands over
        cannot be a workflow.
        """
        place = author()
        function = given[0] if given else None
        what = "@workflow" if function is None else f"workflow {getattr(function, '__name__', function)!r}"
        refuse_callbacks(place, what, settings)
        refuse_unknown(place, what, settings, WORKFLOW_CHECKS)
        checked = check_all(place, what, settings, WORKFLOW_CHECKS)
        if function is None:
            return functools.partial(make_workflow, settings=checked)
        return make_workflow(function, settings=checked)


def make_workflow(function: Any, *, settings: Mapping[str, Any]) -> Workflow[..., Any]:
    """The workflow that ``function`` is; DagError if it cannot be one."""
    place = author()
    body = _class_body(place, function) if isinstance(function, type) else _function_body(place, function)
    what = f"workflow {function.__name__!r}"
    if inspect.isgeneratorfunction(body) or inspect.isasyncgenfunction(body):
        raise place.refuse(f"{what} yields; a workflow returns its result")
    if is_blue():
        raise place.refuse(f"{what} is made inside another workflow, while that runs; define it at the top of the file")
    _check_state(place, what, function, settings)
    given = dict(settings)
    kind = AsyncWorkflow if inspect.iscoroutinefunction(body) else PlainWorkflow
    return kind(function, given.pop("dag_id", function.__name__), given)


def _function_body(place: Place, function: Any) -> Any:
    if not inspect.isfunction(function):
        raise place.refuse(f"@workflow stands over a function or a class, not {function!r}")
    if function.__name__ == "<lambda>":
        raise place.refuse("@workflow stands over a function with a name, not a lambda; define it with def")
    if "<locals>" in function.__qualname__ and inspect.getclosurevars(function).nonlocals:
        raise place.refuse(
            f"workflow {function.__name__!r} uses variables of the function around it, which a replay cannot rely on; "
            f"define it at the top of the file"
        )
    return function


def _class_body(place: Place, kind: type) -> Any:
    body = getattr(kind, "run", None)
    if not inspect.isfunction(body):
        raise place.refuse(f"workflow {kind.__name__!r} has no method run(self, …); define what the workflow does")
    if _needs_arguments(kind):
        raise place.refuse(
            f"workflow {kind.__name__!r}: __init__ takes arguments, and nobody is there to give them; "
            f"a workflow is given its input as the parameters of run"
        )
    return body


def _needs_arguments(kind: type) -> bool:
    parameters = inspect.signature(kind).parameters.values()
    return any(p.default is p.empty and p.kind not in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _check_state(place: Place, what: str, function: Any, settings: Mapping[str, Any]) -> None:
    if settings.get("state") is None:
        return
    if isinstance(function, type) or len(inspect.signature(function).parameters) != 1:
        raise place.refuse(f"{what} has state=, so it is a function of one parameter, its state")
