"""References: values that a DAG file passes on before they exist, such as the result of a task."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from orchestrator.authoring.place import author
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.scopes import Preparing
from orchestrator.authoring.task import Task
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

RETURN_VALUE = "return_value"
_NOTHING = object()


class Reference(ABC):
    """Stands for a value that is there only when a task runs."""

    @abstractmethod
    def resolve(self, context: Context, results: Mapping[str, Any], /) -> Any:
        """The value; ``results`` holds what the tasks have returned that the running one takes."""


class XComArg(Reference, Preparing):
    """What ``operator`` will have returned, or a part of it: ``extract()["rows"][0]``.

    ``key`` is the name of that part, "return_value" for all of it; ``path`` leads on from there.
    """

    def __init__(self, operator: Task, key: str = RETURN_VALUE, path: tuple[str | int, ...] = ()) -> None:
        if not isinstance(operator, Task):
            raise author().refuse(f"XComArg takes a task, not {operator!r}")
        if not isinstance(key, str):
            raise author().refuse(f"the key of an XComArg is a text, not {key!r}")
        self.operator = operator
        self.key = key
        self.path = path

    def __getitem__(self, key: str | int) -> "XComArg":
        if isinstance(key, str) and not self.steps:
            return XComArg(self.operator, key)
        return XComArg(self.operator, self.key, (*self.path, key))

    def __iter__(self) -> NoReturn:
        raise author().refuse(
            f"{self!r} stands for a value that is not there while the DAG file is parsed; loop over it inside a task"
        )

    def __str__(self) -> str:
        """The same as a Jinja template, so that an f-string takes it."""
        return f"{{{{ ti.xcom_pull(task_ids={self.operator.task_id!r}){self._written} }}}}"

    def __repr__(self) -> str:
        return f"the result of {self.operator.task_id!r}{self._written}"

    @property
    def steps(self) -> tuple[str | int, ...]:
        """What leads from the whole result to the part that is meant."""
        return self.path if self.key == RETURN_VALUE else (self.key, *self.path)

    @property
    def _written(self) -> str:
        return "".join(f"[{step!r}]" for step in self.steps)

    @property
    def roots(self) -> Sequence[Task]:
        return (self.operator,)

    @property
    def leaves(self) -> Sequence[Task]:
        return (self.operator,)

    def resolve(self, context: Context, results: Mapping[str, Any]) -> Any:
        """The recorded result, None where the task recorded none; UsageError if it has no such part.

        What is no part of the result may have been pushed under that key. The parts of a task with multiple_outputs
        that recorded nothing, since it was skipped, are None too.
        """
        value = results[self.operator.task_id]
        if self.key != RETURN_VALUE and not (isinstance(value, Mapping) and self.key in value):
            pushed = context["ti"].xcom_pull(self.operator.task_id, key=self.key, default=_NOTHING)
            value = value if pushed is _NOTHING else {self.key: pushed}
        if value is None and self.operator.multiple_outputs:
            return None
        for depth, step in enumerate(self.steps):
            try:
                value = value[step]
            except (LookupError, TypeError):
                whole = XComArg(self.operator, path=self.steps[:depth])
                near = did_you_mean(str(step), [str(key) for key in value]) if isinstance(value, Mapping) else ""
                raise UsageError(f"{whole!r} is a {type(value).__name__} and has no part {step!r}{near}") from None
        return value


@dataclass(frozen=True, eq=False)
class DagParam(Reference):
    """One of the params of the run; what a function under ``@dag`` is given for its parameters."""

    name: str

    def __str__(self) -> str:
        return f"{{{{ params[{self.name!r}] }}}}"

    def resolve(self, context: Context, _results: Mapping[str, Any]) -> Any:
        return context["params"][self.name]


def parts(value: Any) -> Iterator[Any]:
    """``value`` and what it holds, at any depth of lists, tuples, sets, dicts and objects with template fields."""
    waiting, seen = [value], set()
    while waiting:
        item = waiting.pop()
        inner = _inside(item)
        if inner is None:
            yield item
        elif id(item) not in seen:
            seen.add(id(item))
            waiting.extend(inner)


def _inside(value: Any) -> Sequence[Any] | None:
    if isinstance(value, (list, tuple, set)):  # the containers first: an abstract class is slow to ask, 15 times a task
        return list(value)
    if isinstance(value, dict):
        return list(value.values())
    if value is None or isinstance(value, (str, int, float, Reference, Task)):
        return None
    fields = getattr(value, "template_fields", None)
    return None if fields is None else [getattr(value, field, None) for field in fields]


def referred_tasks(values: Sequence[Any]) -> set[Task]:
    """The tasks whose results are used somewhere in ``values``."""
    return {part.operator for value in values for part in parts(value) if isinstance(part, XComArg)}
