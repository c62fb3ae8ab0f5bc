"""What authoring needs while a task runs; the worker fills it."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Protocol

from orchestrator.authoring.airflow_context import absence
from orchestrator.exceptions import ContextKeyError, UsageError
from orchestrator.nearest import did_you_mean


class Context(dict[str, Any]):
    """What a task's body is given, under Airflow's names (docs/reference/context.md)."""

    def __missing__(self, key: str) -> Any:
        """ContextKeyError says which words there are that are meant."""
        raise ContextKeyError(absence(key) or f"the context has no {key!r}{did_you_mean(key, self)}")


class Runtime(Protocol):
    """The worker, as the body that it runs sees it."""

    @property
    def context(self) -> Context:
        """The context of the attempt that runs now."""

    def heartbeat(self, progress: Any) -> None:
        """The body is alive; ``progress``, unless None, is kept for this attempt and the next."""

    def last_progress(self) -> Any:
        """What was kept last by this attempt or one before it, None if nothing."""


_runtime: ContextVar[Runtime | None] = ContextVar("orchestrator_runtime", default=None)


@contextmanager
def running(runtime: Runtime) -> Iterator[None]:
    """Everything called inside runs as part of an attempt."""
    token = _runtime.set(runtime)
    try:
        yield
    finally:
        _runtime.reset(token)


def current_runtime() -> Runtime | None:
    """The runtime of the attempt that runs now, or None outside of a task's body."""
    return _runtime.get()


def get_current_context() -> Context:
    """The context of the task that runs now; UsageError outside of a task's body."""
    runtime = _runtime.get()
    if runtime is None:
        raise UsageError("get_current_context() works only while a task runs; call it inside the task's body")
    return runtime.context
