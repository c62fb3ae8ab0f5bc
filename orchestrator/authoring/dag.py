"""DAG, and the ``@dag`` decorator."""

import inspect
from collections.abc import Callable, Sequence
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta, tzinfo
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from re import Pattern
from typing import Any, ParamSpec, Unpack, overload

import jinja2

from orchestrator.authoring.airflow_only import AIRFLOW_DAG_SETTINGS, supported
from orchestrator.authoring.callbacks import Callback
from orchestrator.authoring.checks import check_all, refuse_unknown
from orchestrator.authoring.enclosing import Enclosing
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.params import ParamsDict
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.references import DagParam
from orchestrator.authoring.settings import DAG_CHECKS, DagSettings, WrittenSchedule
from orchestrator.authoring.task import TaskGraph
from orchestrator.authoring.trying import Wishes, calls_from_script, try_out
from orchestrator.names import NewVersion, RunType

_Params = ParamSpec("_Params")

_TASK = ("orchestrator.authoring.taskflow", "task")  # which makes tasks, and they know their DAG

COLLECTOR: ContextVar["list[DAG] | None"] = ContextVar("orchestrator_collector", default=None)
_current: ContextVar["DAG | None"] = ContextVar("orchestrator_dag", default=None)


def current_dag() -> "DAG | None":
    """The DAG whose ``with`` block runs now."""
    return _current.get()


class DAG(Enclosing, TaskGraph):
    """Tasks, their order, and when they run. In a ``with`` block, the tasks made inside belong to it.

    ``default_args`` are given to each operator made in the DAG that takes them and was not given them itself.
    DagError, with the author's file and line, if a setting is unknown or impossible.
    """

    innermost = _current
    description: str | None = None
    schedule: WrittenSchedule = None
    start_date: datetime | None = None
    end_date: datetime | None = None
    timezone: tzinfo | None = None
    catchup: bool | None = None
    default_args: dict[str, Any]
    max_active_tasks: int | None = None
    max_active_runs: int | None = None
    max_consecutive_failed_dag_runs: int | None = None
    dagrun_timeout: timedelta | None = None
    params: ParamsDict
    tags: tuple[str, ...] | None = None
    doc_md: str | None = None
    fail_fast: bool = False
    allowed_run_types: tuple[RunType, ...] | None = None
    is_paused_upon_creation: bool | None = None
    user_defined_macros: dict[str, Any] | None = None
    user_defined_filters: dict[str, Callable[..., Any]] | None = None
    template_searchpath: tuple[str, ...] | None = None
    template_undefined: type[jinja2.Undefined] = jinja2.StrictUndefined
    jinja_environment_kwargs: dict[str, Any] | None = None
    render_template_as_native_obj: bool = False
    on_new_version: NewVersion = NewVersion.PIN
    owner_links: dict[str, str] | None = None
    dag_display_name: str | None = None
    on_success_callback: Sequence[Callback] = ()
    on_failure_callback: Sequence[Callback] = ()

    def __init__(self, dag_id: str, **settings: Unpack[DagSettings]) -> None:
        self.place = author()
        super().__init__(checked_id("dag_id", dag_id, self.place))
        what = repr(self)
        given = supported(self.place, what, settings, AIRFLOW_DAG_SETTINGS)
        refuse_unknown(self.place, what, given, DAG_CHECKS)
        self.__dict__.update(check_all(self.place, what, given, DAG_CHECKS))
        self.default_args = dict(settings.get("default_args") or {})
        self.params = ParamsDict(settings.get("params"))
        self._take_dates_of_default_args()
        collector = COLLECTOR.get()
        if collector is not None:
            collector.append(self)

    def _take_dates_of_default_args(self) -> None:
        for name in ("start_date", "end_date"):
            if getattr(self, name) is None and name in self.default_args:
                found = check_all(self.place, f"{self!r}, default_args", {name: self.default_args[name]}, DAG_CHECKS)
                self.__dict__.update(found)

    def __repr__(self) -> str:
        return f"DAG {self.dag_id!r}"

    @property
    def owner(self) -> str:
        """The owners of its tasks, by name."""
        return ", ".join(sorted({getattr(task, "owner", "") for task in self.tasks} - {""}))

    @property
    def fileloc(self) -> str:
        """The file that made this DAG."""
        return self.place.file

    @property
    def folder(self) -> str:
        """The folder of that file; template files are looked for here first."""
        return str(Path(self.place.file).parent)

    def spec_fields(self) -> dict[str, Any]:
        """What its DagSpec says besides what every DAG's does."""
        return {}

    @property
    def task(self) -> Any:
        """``@dag.task``: as ``@task``, and the tasks belong to this DAG wherever they are made."""
        module, name = _TASK
        return partial(getattr(import_module(module), name), dag=self)

    def param(self, name: str) -> DagParam:
        """A reference to one of the run's params, to be passed to tasks."""
        return DagParam(name)

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
        """Run the DAG once in this process, without a scheduler and without a home; the run that has ended.

        Tasks run one after another in the main thread, where a debugger can stop in them.
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
        return try_out(self, author(), wishes)


def own_zone(dag: DAG) -> tzinfo:
    """The time zone that the file gives the DAG: ``timezone=``, or that of start_date; else UTC."""
    return dag.timezone or (dag.start_date.tzinfo if dag.start_date is not None else None) or UTC


@overload
def dag(dag_id: Callable[_Params, Any]) -> Callable[_Params, DAG]: ...
@overload
def dag(
    dag_id: str | None = None, **settings: Unpack[DagSettings]
) -> Callable[[Callable[_Params, Any]], Callable[_Params, DAG]]: ...
def dag(dag_id: Callable[..., Any] | str | None = None, **settings: Unpack[DagSettings]) -> Callable[..., Any]:
    """Make a DAG of a function: calling it runs its body inside ``with DAG(…)`` and returns the DAG.

    The dag_id is the function's name unless given; its docstring becomes doc_md, and its parameters, with their
    defaults, params of the DAG.
    """
    if callable(dag_id):
        return _factory(dag_id, dag_id.__name__, {})
    return lambda function: _factory(function, dag_id or function.__name__, settings)


def _factory(function: Callable[..., Any], dag_id: str, settings: DagSettings) -> Callable[..., DAG]:
    signature = inspect.signature(function)

    @wraps(function)
    def make(*args: Any, **kwargs: Any) -> DAG:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise author().refuse(f"DAG function {function.__name__!r}: {error}") from None
        bound.apply_defaults()
        documented: DagSettings = {"doc_md": inspect.getdoc(function)}
        made = DAG(dag_id, **(documented | settings))
        made.params.update(bound.arguments)
        _stand_at_definition(made, function)
        with made:
            function(**{name: made.param(name) for name in bound.arguments})
        return made

    return make


def _stand_at_definition(made: DAG, function: Callable[..., Any]) -> None:
    code = inspect.unwrap(function).__code__
    if code.co_filename == made.place.file:
        made.place = Place(code.co_filename, code.co_firstlineno)
