"""saga: steps that are undone, in reverse order, when a later one fails."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, ParamSpec

from orchestrator.authoring.blue import Future, current_blue
from orchestrator.authoring.shield import shield
from orchestrator.exceptions import WorkflowCancelled

_Params = ParamSpec("_Params")


class Undo:
    """What is to be done should the rest fail, last added first."""

    def __init__(self) -> None:
        self._steps: list[tuple[str, Callable[[], Any]]] = []

    def add(
        self,
        compensation: Callable[_Params, Any],
        *args: _Params.args,
        **kwargs: _Params.kwargs,
    ) -> None:
        """Remember a call: an activity, or a function of the workflow's own code that calls several."""
        name = getattr(compensation, "__name__", repr(compensation))
        self._steps.append((name, partial(compensation, *args, **kwargs)))

    def run(self, cause: BaseException) -> None:
        """Do it all, whatever fails on the way; failures are noted on ``cause``."""
        while self._steps:
            name, call = self._steps.pop()
            try:
                _finish(name, call())
            except (Exception, WorkflowCancelled) as error:
                cause.add_note(f"its compensation {name} failed too: {error}")


def _finish(name: str, answer: Any) -> None:
    """Wait for what an ``async def`` gives; anything else is done already."""
    if inspect.iscoroutine(answer):
        coroutine = answer
        answer = current_blue().spawn(name, lambda: coroutine)
    if isinstance(answer, Future):
        answer.result()


@contextmanager
def saga() -> Iterator[Undo]:
    """A block whose steps are undone if it is left by an error or a cancellation: ``with saga() as undo:``.

    Compensations are ordinary calls, recorded like any other, so they go on after a crash; a cancellation does not
    reach them. The error goes on once they have run.
    """
    current_blue()
    undo = Undo()
    try:
        yield undo
    except (Exception, WorkflowCancelled) as error:
        with shield():
            undo.run(error)
        raise
