"""What happens around a task's body: the author's hooks, conditions that skip it, and a look at what it returned."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, TypeAlias

from orchestrator.authoring.place import Place
from orchestrator.authoring.runtime import Context
from orchestrator.exceptions import AirflowSkipException, UsageError

Before: TypeAlias = Callable[[Context], Any]
After: TypeAlias = Callable[[Context, Any], Any]
Answer: TypeAlias = bool | tuple[bool, str | None]


class Hooks(NamedTuple):
    """What is called right before and right after a task's body."""

    befores: tuple[Before, ...] = ()
    afters: tuple[After, ...] = ()

    @classmethod
    def of(cls, place: Place, what: str, before: Any, after: Any) -> "Hooks":
        """Of the settings; DagError if one of them is no function."""
        for name, hook in (("pre_execute", before), ("post_execute", after)):
            if hook is not None and not callable(hook):
                raise place.refuse(f"{what}: {name} must be a function, not {hook!r}")
        return cls(() if before is None else (before,), () if after is None else (after,))

    def __bool__(self) -> bool:
        return bool(self.befores or self.afters)

    def with_condition(self, condition: Before) -> "Hooks":
        return self._replace(befores=(*self.befores, condition))

    def before(self, context: Context) -> None:
        for hook in self.befores:
            hook(context)

    def after(self, context: Context, result: Any) -> None:
        for hook in self.afters:
            hook(context, result)


class Condition:
    """Skips a task where ``condition(context)`` does not say ``wanted``; it may give the reason beside its answer."""

    def __init__(self, condition: Callable[[Context], Answer], message: str | None, *, wanted: bool) -> None:
        self._condition = condition
        self._message = message or "Task was skipped due to condition."
        self._wanted = wanted

    def __call__(self, context: Context) -> None:
        answer, message = self._condition(context), self._message
        if isinstance(answer, tuple):
            answer, own = answer
            message = own or message
        if bool(answer) is not self._wanted:
            raise AirflowSkipException(message)


def both(first: Before | None, second: Before) -> Before:
    """One hook that calls two."""
    if first is None:
        return second

    def call(context: Context) -> None:
        first(context)
        second(context)

    return call


def check_outputs(task_id: str, result: Any) -> None:
    """UsageError if ``result`` has no parts by name, as multiple_outputs says that it does."""
    if not isinstance(result, Mapping):
        raise UsageError(f"task {task_id!r} has multiple_outputs and must return a dict, not a {type(result).__name__}")
    for name in result:
        if not isinstance(name, str):
            raise UsageError(
                f"task {task_id!r} has multiple_outputs, so the keys of the dict that it returns must be texts, "
                f"not {name!r}"
            )
