"""Calls of activities, strands of code, and waiting for several futures."""

import functools
from collections import Counter
from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ParamSpec, TypeVar, cast, overload

from orchestrator.authoring.activity import Activity
from orchestrator.authoring.blue import Future, current_blue
from orchestrator.authoring.workflow_definition import Workflow
from orchestrator.core.reasons import listed
from orchestrator.exceptions import UsageError

_Params = ParamSpec("_Params")
_Result = TypeVar("_Result")


def schedule_activity(activity: Activity[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs) -> _Result:
    """Run the activity and wait: its result, or ActivityError once it has failed for good."""
    return start_activity(activity, *args, **kwargs).result()


def start_activity(
    activity: Activity[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
) -> Future[_Result]:
    """Run the activity beside what follows."""
    _check_activity(activity)
    return activity.start(args, kwargs)


def _check_activity(given: object) -> None:
    if not isinstance(given, Activity):
        current_blue()
        raise UsageError(f"{given!r} is no activity; put @activity on a function, and name that function here")


@overload
def start(
    function: Activity[_Params, _Result] | Workflow[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs
) -> Future[_Result]: ...
@overload
def start(
    function: Callable[_Params, Coroutine[Any, Any, _Result]], *args: _Params.args, **kwargs: _Params.kwargs
) -> Future[_Result]: ...
@overload
def start(function: Callable[_Params, _Result], *args: _Params.args, **kwargs: _Params.kwargs) -> Future[_Result]: ...
def start(function: Any, *args: Any, **kwargs: Any) -> Future[Any]:
    """Run a function of this workflow's own code beside what follows; its waits hold up nothing else."""
    if isinstance(function, Activity | Workflow):
        started: Future[Any] = function.start(args, kwargs)
        return started
    what = getattr(function, "__name__", "a function")
    return current_blue().spawn(what, functools.partial(function, *args, **kwargs))


def gather(*futures: Future[_Result]) -> list[_Result]:
    """Wait for all of them: their results, in this order. The first error that comes is raised; the others go on."""
    for future in _checked("gather", futures):
        if future.done():
            future.result()
    Countdown(future for future in futures if not future.done()).all.result()
    return [future.result() for future in futures]


class Countdown:
    """Watches futures that have not come: ``all`` comes with the last of them, or with the first error."""

    def __init__(self, futures: Iterable[Future[Any]]) -> None:
        pending = list(dict.fromkeys(futures))
        self.all: Future[None] = Future(_all_of(pending))
        self._left = len(pending)
        if not pending:
            self.all.settle()
        for future in pending:
            future.watched_by(functools.partial(self._came, future))

    def _came(self, future: Future[Any]) -> None:
        self._left -= 1
        error = future.exception()
        if not self.all.done() and (error is not None or self._left == 0):
            self.all.settle(error=error)


def wait_any(*futures: Future[Any]) -> list[Future[Any]]:
    """Wait until at least one of them has come: those that have, in this order."""
    pending = _checked("wait_any", futures)
    if not pending:
        raise UsageError("wait_any() was given no future to wait for")
    if not any(future.done() for future in pending):
        current_blue().wait_for(*pending)
    return [future for future in futures if future.done()]


def _all_of(futures: Iterable[Future[Any]]) -> str:
    """All of them in words: ``charge, 5 x ship and 2 more``."""
    counts = Counter(future.what for future in futures)
    return listed([name if count == 1 else f"{count} x {name}" for name, count in counts.items()])


def _checked(what: str, futures: Iterable[Any]) -> list[Future[Any]]:
    found = list(futures)
    for future in found:
        if not isinstance(future, Future):
            raise UsageError(
                f"{what}() waits for futures, such as start_activity(…) gives, not for {type(future).__name__}; "
                f"a list of futures is given as {what}(*futures)"
            )
    return cast(list[Future[Any]], found)
