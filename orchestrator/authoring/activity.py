"""``@activity``: a function with a side effect, which a workflow may call."""

import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, ParamSpec, Protocol, TypeVar, Unpack, cast, overload

from orchestrator.authoring.blue import Future, current_blue, is_blue
from orchestrator.authoring.callables import parameters_of
from orchestrator.authoring.callbacks import CALLBACK_SETTINGS, refuse_callbacks
from orchestrator.authoring.checks import anything, check_all, refuse_unknown
from orchestrator.authoring.dag import current_dag
from orchestrator.authoring.identifiers import checked_id
from orchestrator.authoring.inventory import note
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.settings import TASK_CHECKS, WITHOUT_EFFECT, AttemptSettings
from orchestrator.exceptions import UsageError
from orchestrator.names import Delivery

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


class ActivitySettings(AttemptSettings, total=False):
    """What ``@activity`` takes: the settings of a task that mean something without a graph around it."""

    activity_id: str


_OF_GRAPHS = {
    "depends_on_past",
    "do_xcom_push",
    "end_date",
    "ignore_first_depends_on_past",
    "map_index_template",
    "multiple_outputs",
    "params",
    "render_template_as_native_obj",
    "start_date",
    "task_display_name",
    "trigger_rule",
    "wait_for_downstream",
    "weight_rule",
    *WITHOUT_EFFECT,
}
ACTIVITY_CHECKS = {
    **{name: check for name, check in TASK_CHECKS.items() if name not in _OF_GRAPHS | CALLBACK_SETTINGS},
    "activity_id": anything,
}


class Activity(Generic[_Params, _Result]):
    """A function under ``@activity``. ``function`` is the author's own; call that to run it as plain Python."""

    def __init__(self, function: Callable[_Params, Any], settings: Mapping[str, Any], place: Place) -> None:
        given = dict(settings)
        self.place = place
        self.function = function
        self.activity_id = checked_id("activity_id", given.pop("activity_id", function.__name__), place)
        self.settings = {"doc_md": inspect.getdoc(function) or None, **given}
        functools.update_wrapper(cast(Any, self), function)
        note(self)

    def __repr__(self) -> str:
        return f"activity {self.activity_id!r}"

    def start(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Future[_Result]:
        """Ask for a call of it; UsageError outside of a workflow, and where it cannot be called so."""
        blue = current_blue()
        self._check(args, kwargs)
        return cast(Future[_Result], blue.call(self.activity_id, args, kwargs))

    def _check(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> None:
        parameters = parameters_of(self.function)
        if parameters is None:
            return
        try:
            bound = parameters.signature.bind_partial(*args, **kwargs)
        except TypeError as error:
            raise UsageError(f"{self!r} ({self.place}) cannot be called so: {error}") from None
        missing = [name for name in parameters.required if name not in bound.arguments]
        if missing:
            raise UsageError(
                f"{self!r} ({self.place}) cannot be called so: missing a required argument: {missing[0]!r}"
            )

    def _refuse_in_dag(self) -> None:
        """A call inside ``with DAG`` would cause the effect at every parse of the file."""
        if current_dag() is not None:
            raise author().refuse(
                f"{self!r} is called inside a DAG, while its file is parsed; put @task on a function that calls it"
            )


class PlainActivity(Activity[_Params, _Result]):
    """An activity that is a plain function: in a workflow, a call waits for its result."""

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
        if is_blue():
            return self.start(args, kwargs).result()
        self._refuse_in_dag()
        return cast(_Result, self.function(*args, **kwargs))


class AsyncActivity(Activity[_Params, _Result]):
    """An activity that is an ``async def``: in a workflow, a call is a Future, to be awaited like the coroutine."""

    def __call__(self, *args: _Params.args, **kwargs: _Params.kwargs) -> Awaitable[_Result]:
        if is_blue():
            return self.start(args, kwargs)
        self._refuse_in_dag()
        return cast(Awaitable[_Result], self.function(*args, **kwargs))


class ActivityDecorator(Protocol):
    """``@activity(…)``, with its settings given."""

    @overload
    def __call__(  # type: ignore[overload-overlap]  # the first that fits is meant
        self, function: Callable[_Params, Coroutine[Any, Any, _Result]]
    ) -> AsyncActivity[_Params, _Result]: ...
    @overload
    def __call__(self, function: Callable[_Params, _Result]) -> PlainActivity[_Params, _Result]: ...


@overload
def activity(  # type: ignore[overload-overlap]  # the first that fits is meant
    function: Callable[_Params, Coroutine[Any, Any, _Result]],
) -> AsyncActivity[_Params, _Result]: ...
@overload
def activity(function: Callable[_Params, _Result]) -> PlainActivity[_Params, _Result]: ...
@overload
def activity(**settings: Unpack[ActivitySettings]) -> ActivityDecorator: ...
def activity(function: Callable[..., Any] | None = None, **settings: Any) -> Any:
    """Make an activity of a function, plain or ``async def``; its id is the function's name unless given.

    DagError, with the author's file and line, if a setting is unknown or impossible.
    """
    place = author()
    what = "@activity" if function is None else f"activity {getattr(function, '__name__', function)!r}"
    refuse_callbacks(place, what, settings)
    refuse_unknown(place, what, settings, ACTIVITY_CHECKS)
    checked = check_all(place, what, settings, ACTIVITY_CHECKS)
    if function is None:
        return functools.partial(_made, settings=checked)
    return _made(function, settings=checked)


def _made(function: Any, *, settings: Mapping[str, Any]) -> Activity[..., Any]:
    place = author()
    _check_function(place, function)
    if (settings.get("delivery") is Delivery.TRANSACTIONAL) != (settings.get("connection") is not None):
        raise place.refuse(
            f"activity {function.__name__!r}: delivery='transactional' and connection= (the name of the target "
            f"database) go together"
        )
    kind = AsyncActivity if inspect.iscoroutinefunction(function) else PlainActivity
    return kind(function, settings, place)


def _check_function(place: Place, function: Any) -> None:
    if not inspect.isroutine(function):
        raise place.refuse(f"@activity decorates a function, not {function!r}")
    if function.__name__ == "<lambda>":
        raise place.refuse("@activity decorates a function with a name, not a lambda; define it with def")
    parameters = parameters_of(function)
    if parameters is not None and parameters.positional[:1] == ("self",):
        raise place.refuse(
            f"activity {function.__name__!r} is a method, and its object is not there in a worker; "
            f"define it outside of the class"
        )
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise place.refuse(f"activity {function.__name__!r} yields; an activity returns its result, such as a list")
    if is_blue():
        raise place.refuse(
            f"activity {function.__name__!r} is made inside a workflow, which runs again at every replay; "
            f"define it at the top of the file"
        )
