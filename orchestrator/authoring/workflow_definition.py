"""Workflow: what ``@workflow`` makes of a function or a class."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from functools import cached_property
from re import Pattern
from typing import Any, Generic, ParamSpec, TypeVar, cast

import msgspec

from orchestrator.authoring.activity import activity
from orchestrator.authoring.blue import Future, Given, current_blue, is_blue
from orchestrator.authoring.dag import current_dag
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.entrances import (
    Door,
    Kind,
    doors_of,
    query,
    set_query,
    set_signal,
    set_update,
    signal,
    update,
)
from orchestrator.authoring.hints import Inputs, plain
from orchestrator.authoring.loops import State, run_turns
from orchestrator.authoring.operators.workflow import WorkflowOperator
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.references import XComArg
from orchestrator.authoring.runtime import current_runtime
from orchestrator.authoring.trying import Wishes, calls_from_script, try_out
from orchestrator.authoring.workflow_dag import WorkflowDag
from orchestrator.authoring.workflow_source import WorkflowSource
from orchestrator.core import values
from orchestrator.core.spec import Entrance, TaskSpec
from orchestrator.exceptions import UsageError
from orchestrator.names import NewVersion, ParentClose

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")

_OPENS: dict[Any, Kind] = {
    signal: Kind.SIGNAL,
    query: Kind.QUERY,
    update: Kind.UPDATE,
    set_signal: Kind.SIGNAL,
    set_query: Kind.QUERY,
    set_update: Kind.UPDATE,
}


class WorkflowMaker:
    """What ``@workflow`` is an instance of."""

    __slots__ = ()


class Workflow(Generic[_Params, _Result]):
    """A function, or a class with a method ``run``, under ``@workflow``. ``function`` is the author's own.

    ``dag`` is the workflow as all the rest of the program knows it. ``begin`` is for whoever replays it.
    """

    def __init__(self, function: Any, dag_id: str, settings: Mapping[str, Any]) -> None:
        given = dict(settings)
        kind: Any = given.pop("state", None)
        moves: NewVersion = given.pop("on_new_version", NewVersion.PIN)
        self.function = function
        self.dag = WorkflowDag(dag_id, self, moves, {"doc_md": inspect.getdoc(function), **given})
        self.body: Callable[..., Any] = getattr(function, "run") if isinstance(function, type) else function  # noqa: B009
        self.inputs = Inputs(repr(self), self.body, self.place, is_method=isinstance(function, type))
        self.state = None if kind is None else State(repr(self), kind, self.place)
        functools.update_wrapper(cast(Any, self), function, updated=())

    def __repr__(self) -> str:
        return repr(self.dag)

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[Any, ...]:
        """A class may derive from one that is a workflow."""
        return (self.function,)

    @property
    def place(self) -> Place:
        return self.dag.place

    @property
    def names(self) -> dict[str, Any]:
        """The globals of its module."""
        found: dict[str, Any] = inspect.unwrap(self.body).__globals__
        return found

    @property
    def doors(self) -> list[Door]:
        """The ways in that its class declares."""
        return list(doors_of(self.function)) if isinstance(self.function, type) else []

    # ── calling it ───────────────────────────────────────────────────────────────────────────────────────

    def conf(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The conf of a run that is called so; UsageError if it cannot be."""
        if self.state is not None:
            return cast(dict[str, Any], plain(self.state_of(args, kwargs)))
        return {name: plain(value) for name, value in self.inputs.by_name(args, kwargs).items()}

    def state_of(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Any:
        """The one argument of a loop: its first state."""
        return next(iter(self.inputs.by_name(args, kwargs).values()))

    def start(
        self,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        run_id: str | None = None,
        close: ParentClose = ParentClose.CANCEL,
    ) -> Future[_Result]:
        """Start a run of it as a child of the workflow that runs now."""
        conf = self.conf(args, kwargs)
        return cast(Future[_Result], current_blue().child(self.dag.dag_id, conf, run_id=run_id, close=close))

    def node(self, args: tuple[Any, ...], kwargs: Mapping[str, Any], settings: Mapping[str, Any]) -> Any:
        """A task of the DAG whose ``with`` block runs now, which runs this workflow; a reference to its result.

        UsageError outside of such a block, DagError where the workflow cannot be called so.
        """
        graph = current_dag()
        if graph is None or current_runtime() is not None:
            raise UsageError(
                f"{self!r} is a run of its own and cannot be called here; trigger it with `orchestrator dags trigger "
                f"{self.dag.dag_id}`, call it in another workflow or in a DAG, or call its .function(…) as plain Python"
            )
        try:
            self.inputs.by_name(args, kwargs)
        except UsageError as error:
            raise author().refuse(str(error)) from None
        task_id = settings.get("task_id") or graph.unused_id(self.dag.dag_id)
        made = WorkflowOperator(
            workflow_id=self.dag.dag_id,
            conf_of=lambda *args, **kwargs: self.conf(args, kwargs),
            op_args=args,
            op_kwargs=kwargs,
            **{**settings, "task_id": task_id},
        )
        return XComArg(made)

    def override(self, **settings: Any) -> Callable[..., Any]:
        """As a node of a DAG, with settings of a task: ``ship.override(task_id="ship_it", retries=2)(order)``."""
        return lambda *args, **kwargs: self.node(args, kwargs, settings)

    def test(
        self,
        run_after: datetime | None = None,
        logical_date: datetime | None = None,
        run_conf: dict[str, Any] | None = None,
        conn_file_path: str | None = None,
        variable_file_path: str | None = None,
        use_executor: bool = False,
        mark_success_pattern: Pattern[str] | str | None = None,
    ) -> Any:
        """Run the workflow once in this process, without a scheduler and without a home; the run that has ended.

        Its code and its activities run in the main thread, where a debugger can stop in them.
        The files hold variables and connections by name, as JSON or ``NAME=VALUE`` lines. Tasks whose id matches
        ``mark_success_pattern`` from its beginning succeed without running. A script ends here, with exit status 1,
        where the run fails. UsageError where a file is read, or ``use_executor`` is asked for.
        """
        wishes = Wishes(
            run_after,
            logical_date,
            run_conf,
            conn_file_path,
            variable_file_path,
            use_executor,
            mark_success_pattern,
            ends_program=calls_from_script(),
        )
        return try_out(self.dag, author(), wishes)

    # ── for whoever replays it ───────────────────────────────────────────────────────────────────────────

    @property
    def dag_id(self) -> str:
        return self.dag.dag_id

    @property
    def file(self) -> str:
        return self.dag.file or self.place.file

    @property
    def line(self) -> int:
        return self.place.line

    @cached_property
    def activities(self) -> dict[str, TaskSpec]:
        """What its code can call, by id, once its file is loaded; what is not set has Airflow's defaults."""
        return {task.task_id: task.spec(Defaults()) for task in self.dag.tasks}

    def begin(self, given: Given) -> Any:
        """Run its code: what it returns, or a coroutine to be driven; UsageError if its input does not fit it."""
        found = self._input(given)
        if self.state is not None:
            return run_turns(self.function, self.state.bind(found))
        arguments = self.inputs.bind(found)
        if not isinstance(self.function, type):
            return self.function(**arguments)
        instance = self.function()
        for door in self.doors:
            door.open(instance)
        return instance.run(**arguments)

    def _input(self, given: Given) -> Mapping[str, Any]:
        if given.params is not None:
            return cast(Mapping[str, Any], untagged(given.params))
        return self.inputs.by_name(given.args, given.kwargs) if self.state is None else given.kwargs

    # ── plain data ───────────────────────────────────────────────────────────────────────────────────────

    @cached_property
    def source(self) -> WorkflowSource:
        return WorkflowSource(inspect.unwrap(self.body), self.names)

    def entrance(self) -> Entrance:
        """What it is called with."""
        schema = self.inputs.schema() if self.state is None else self.state.schema()
        return Entrance(name=self.dag_id, schema=schema, doc=inspect.getdoc(self.function))

    def defaults(self) -> dict[str, Any]:
        """What its input is where nothing is given, as JSON values by name."""
        return self.inputs.defaults if self.state is None else self.state.defaults()

    def entrances(self, kind: str) -> tuple[Entrance, ...]:
        """Those of its class, and those that functions of its file open while they run, whose hints are not known."""
        opened = (
            one for one in self.source.in_functions if inspect.isfunction(one.what) and _OPENS.get(one.what) == kind
        )
        found = {one.name: Entrance(name=one.name, doc=one.doc) for one in opened}
        found |= {door.name: door.entrance() for door in self.doors if door.kind == kind}
        return tuple(found[name] for name in sorted(found))

    def check_source(self) -> None:
        """DagError if an activity or a workflow is made inside of it."""
        for one in self.source.inside:
            if one.what is activity or isinstance(one.what, WorkflowMaker):
                what = "activity" if one.what is activity else "workflow"
                raise self.source.place(one.line).refuse(
                    f"{what} {one.name!r} is made inside {self!r}, which runs again at every replay; "
                    f"define it at the top of the file"
                )


class PlainWorkflow(Workflow[_Params, _Result]):
    """A workflow that is a plain function or has a plain ``run``."""

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        """In a workflow: run it as a child and wait. Inside ``with DAG``: a task that does so."""
        if is_blue():
            return self.start(args, kwargs).result()
        return cast(_Result, self.node(args, kwargs, {}))


class AsyncWorkflow(Workflow[_Params, _Result]):
    """A workflow that is an ``async def``, or has such a ``run``."""

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> Awaitable[_Result]:
        """In a workflow: start it as a child, a Future to be awaited. Inside ``with DAG``: a task that runs it."""
        if is_blue():
            return self.start(args, kwargs)
        return cast(Awaitable[_Result], self.node(args, kwargs, {}))


def untagged(params: Mapping[str, Any]) -> Any:
    """The params of a run as values: what was tagged, because JSON lacks it, as what it is."""
    data = msgspec.json.encode(params)
    return values.decode(data) if f'"{values.TAG}"'.encode() in data else dict(params)
