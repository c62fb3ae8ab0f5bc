"""Child runs: a workflow starts runs of other workflows and of DAGs, and speaks to other runs."""

from collections.abc import Mapping
from typing import Any, ParamSpec, TypeVar, overload

from orchestrator.authoring.blue import Future, current_blue
from orchestrator.authoring.checks import checked, choice
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.hints import plain
from orchestrator.authoring.place import author
from orchestrator.authoring.signal import Signal
from orchestrator.authoring.workflow_decorator import HasRun
from orchestrator.authoring.workflow_definition import Workflow
from orchestrator.exceptions import UsageError
from orchestrator.names import ParentClose

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")
_Payload = TypeVar("_Payload")

_close = choice(ParentClose)


@overload
def start_child(
    workflow: Workflow[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
) -> Future[_Result]: ...
@overload
def start_child(
    workflow: Workflow[..., _Result], *args: Any, run_id: str, parent_close: ParentClose | str = ..., **kwargs: Any
) -> Future[_Result]: ...
@overload
def start_child(
    workflow: Workflow[..., _Result], *args: Any, parent_close: ParentClose | str, **kwargs: Any
) -> Future[_Result]: ...
@overload
def start_child(
    workflow: str | DAG,
    conf: Mapping[str, Any] = ...,
    /,
    *,
    run_id: str | None = ...,
    parent_close: ParentClose | str = ...,
) -> Future[Any]: ...
@overload
def start_child(
    workflow: type[HasRun[..., Any]],
    *args: Any,
    run_id: str | None = ...,
    parent_close: ParentClose | str = ...,
    **kwargs: Any,
) -> Future[Any]: ...
def start_child(workflow: Any, *args: Any, **kwargs: Any) -> Future[Any]:
    """Start a run of a workflow, called so, or of any DAG by its id, with that conf; its result once it has ended.

    ChildError where it fails or cannot be started. ``parent_close`` says what the end of this workflow means to it:
    "cancel" or "abandon". Without ``run_id``, it is named after this run.
    """
    run_id: str | None = kwargs.pop("run_id", None)
    close = checked(author(), "start_child", "parent_close", kwargs.pop("parent_close", ParentClose.CANCEL), _close)
    if isinstance(workflow, Workflow):
        return workflow.start(args, kwargs, run_id=run_id, close=close)
    dag_id = workflow.dag_id if isinstance(workflow, DAG) else workflow
    if not isinstance(dag_id, str):
        raise UsageError(f"a child is a workflow, a DAG or a dag_id, not {workflow!r}")
    return current_blue().child(dag_id, _conf(dag_id, args, kwargs), run_id=run_id, close=close)


def _conf(dag_id: str, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
    conf = args[0] if len(args) == 1 else {}
    if len(args) > 1 or kwargs or not isinstance(conf, Mapping):
        raise UsageError(f"a child that is named by its dag_id {dag_id!r} takes one dict, its conf")
    return {name: plain(value) for name, value in conf.items()}


@overload
def run_child(workflow: Workflow[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs) -> _Result: ...
@overload
def run_child(
    workflow: Workflow[..., _Result], *args: Any, run_id: str, parent_close: ParentClose | str = ..., **kwargs: Any
) -> _Result: ...
@overload
def run_child(
    workflow: Workflow[..., _Result], *args: Any, parent_close: ParentClose | str, **kwargs: Any
) -> _Result: ...
@overload
def run_child(
    workflow: str | DAG,
    conf: Mapping[str, Any] = ...,
    /,
    *,
    run_id: str | None = ...,
    parent_close: ParentClose | str = ...,
) -> Any: ...
@overload
def run_child(
    workflow: type[HasRun[..., Any]],
    *args: Any,
    run_id: str | None = ...,
    parent_close: ParentClose | str = ...,
    **kwargs: Any,
) -> Any: ...
def run_child(workflow: Any, *args: Any, **kwargs: Any) -> Any:
    """Start a child run and wait for it: its result."""
    future: Future[Any] = start_child(workflow, *args, **kwargs)
    return future.result()


@overload
def signal_run(dag_id: str, run_id: str, name: Signal[_Payload], payload: _Payload) -> None: ...
@overload
def signal_run(dag_id: str, run_id: str, name: str, payload: Any = ...) -> None: ...
def signal_run(dag_id: str, run_id: str, name: str | Signal[Any], payload: Any = None) -> None:
    """Send a signal to another run and wait until that has it; DeliveryError if it has ended or there is none."""
    named = name.name if isinstance(name, Signal) else name
    current_blue().signal(dag_id, run_id, named, plain(payload)).result()
