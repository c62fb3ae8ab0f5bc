"""Mapped tasks: ``Operator.partial(…).expand(…)``, and the one instance that an attempt is about."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from orchestrator.authoring.airflow_only import AIRFLOW_TASK_SETTINGS, supported
from orchestrator.authoring.construction import Constructed, Making, accepted_names, make_apart, required_names
from orchestrator.authoring.given import Given
from orchestrator.authoring.mapped_inputs import Expansion, Item, by_name, by_set, texts_in
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.settings import MAKING, TASK_CHECKS
from orchestrator.authoring.task import Task, TaskGraph
from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

_Kind = TypeVar("_Kind", bound=Constructed)
_OF_TASK = frozenset(("task_id", *MAKING, *TASK_CHECKS))
_WHERE = ("dag", "task_group", "default_args")


class MappedBody(NamedTuple):
    """What the instances of a mapped task are made of.

    ``arguments`` are those that all have, the settings of tasks among them; what varies is added to them, or to their
    ``into``. ``strict``: it may not say again what ``arguments`` say.
    """

    arguments: Mapping[str, Any]
    defaults: Mapping[str, Any]
    expansion: Expansion
    into: str = ""
    strict: bool = True

    def template_values(self, names: tuple[str, ...]) -> list[Any]:
        """What the fields of these names are known to hold."""
        literals = [value for name, value in self.expansion.literals() if (self.into or name) in names]
        return [*(self.arguments.get(name) for name in names), *literals]

    def settings(self, item: Item) -> dict[str, Any]:
        """The keywords of the instance for an item; UsageError where it says something again."""
        own = self.arguments.get(self.into, {}) if self.into else self.arguments
        for name in item.arguments:
            if self.strict and name in own:
                raise UsageError(f"{name!r} stands in partial() and in an item of expand_kwargs(); name it once")
        merged = {**own, **item.arguments}
        found = {**self.arguments, self.into: merged} if self.into else merged
        return {name: value for name, value in found.items() if name not in _WHERE}


def make_mapped(
    kind: type[_Kind],
    arguments: Mapping[str, Any],
    expansion: Expansion,
    *,
    into: str = "",
    strict: bool = True,
) -> _Kind:
    """A mapped task of that kind in the DAG and group that are open, or that ``arguments`` name."""
    settings = {name: value for name, value in arguments.items() if name in _OF_TASK}
    making = Making(settings)
    made = kind.__new__(kind)
    made.begin_mapped(MappedBody(arguments, making.defaults, expansion, into, strict), settings)
    return made


def instance_of(task: Constructed, body: MappedBody, given: Given, level: int) -> Any:
    """The instance that an attempt is about, not in any DAG; its ``settled`` texts are no templates."""
    assert isinstance(task, Task)
    item = body.expansion.item(given.positions(level, task.task_id), given, task.mapped_groups)
    settings = body.settings(item)
    made = make_apart(type(task), task.place, body.defaults, {**settings, "task_id": task.task_id}, graph=task.graph)
    made.__dict__.update({name: value for name, value in vars(task).items() if name in _SHARED})
    made.__dict__["_settled"] = texts_in(item.settled)
    return made


_SHARED = frozenset(
    (
        "_hooks",
        "is_setup",
        "is_teardown",
        "labels",
        "on_failure_fail_dagrun",
        "task_group",
        "trigger_rule",
        "downstream_task_ids",
        "upstream_task_ids",
    )
)


class Partial:
    """Arguments that wait for what is to be mapped; ``place`` is where they stand. A DAG refuses those that go on
    waiting.
    """

    def __init__(self, what: str, place: Place, graph: object) -> None:
        self.what = what
        self.place = place
        self.is_expanded = False
        if isinstance(graph, TaskGraph):
            graph.partials.append(self)


class OperatorPartial(Partial):
    """``Operator.partial(…)``: the arguments that all instances have in common."""

    def __init__(self, kind: type[Constructed], arguments: Mapping[str, Any]) -> None:
        place = author()
        what = f"{kind.__name__} {arguments.get('task_id')!r}"
        super().__init__(what, place, Making(arguments).dag)
        self._kind = kind
        known = {*accepted_names(kind), *MAKING}
        also = {name: value for name, value in arguments.items() if name not in known}
        for name in supported(place, what, also, AIRFLOW_TASK_SETTINGS):
            raise place.refuse(f"{what}: partial() has no setting {name!r}{did_you_mean(name, known)}")
        if "task_id" not in arguments:
            raise place.refuse(f"{kind.__name__}.partial() needs task_id=")
        self._arguments = {name: value for name, value in arguments.items() if name in known}

    def expand(self, **mapped: Any) -> Any:
        """A task with one instance for each combination of the items of these arguments."""
        place = author()
        self._check(place, mapped)
        expansion = by_name(place, self.what, mapped)
        for name in self._missing(mapped):
            raise place.refuse(f"{self.what} needs {name}=, in partial() or in expand()")
        return make_mapped(self._kind, self._arguments, expansion)

    def expand_kwargs(self, mapped: Any, *, strict: bool = True) -> Any:
        """A task with one instance for each dict of arguments. ``strict`` False: they go before those of partial()."""
        place = author()
        self.is_expanded = True
        expansion = by_set(place, self.what, mapped)
        for name, _ in expansion.literals():
            self._check(place, [name], strict=strict)
        return make_mapped(self._kind, self._arguments, expansion, strict=strict)

    def _check(self, place: Place, names: Any, *, strict: bool = True) -> None:
        self.is_expanded = True
        known = accepted_names(self._kind) - _OF_TASK
        for name in names:
            if name in _OF_TASK:
                raise place.refuse(f"{self.what}: {name} cannot be mapped over; give it to partial()")
            if name not in known:
                raise place.refuse(f"{self.what} has no setting {name!r}{did_you_mean(name, known)}")
            if strict and name in self._arguments:
                raise place.refuse(f"{self.what}: {name!r} stands in partial() and in expand(); name it once")

    def _missing(self, mapped: Mapping[str, Any]) -> Iterator[str]:
        defaults = Making(self._arguments).defaults
        given = {*self._arguments, *mapped, *defaults}
        return (name for name in required_names(self._kind) if name not in given)
