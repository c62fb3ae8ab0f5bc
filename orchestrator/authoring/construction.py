"""How an operator is made: default_args fill in, and a wrong keyword is refused with the author's line.

Each class's ``__init__`` is wrapped once, when the class is defined, because default_args speak to the keywords of
every class of an operator's family, and a missing one must be there before the author's own code runs.
"""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, ClassVar, Self

from orchestrator.authoring.checks import refuse_unknown
from orchestrator.authoring.dag import DAG
from orchestrator.authoring.groups import home_of
from orchestrator.authoring.place import Place, author
from orchestrator.authoring.settings import TASK_CHECKS

Init = Callable[..., None]

_NAMED = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class Keywords:
    """What one ``__init__`` takes: names, those without a default, and whether it passes others on (``**kwargs``)."""

    def __init__(self, init: Init, also: Iterable[str] = (), also_required: Iterable[str] = ()) -> None:
        parameters = list(inspect.signature(init).parameters.values())[1:]
        required = (p.name for p in parameters if p.kind in _NAMED and p.default is p.empty)
        self.required = frozenset((*required, *also_required))
        self.passes_on = any(p.kind is p.VAR_KEYWORD for p in parameters)
        self.names = (*(p.name for p in parameters if p.kind in _NAMED), *also)


class Making:
    """One operator that is being made: by whom, for which DAG and group, and with which default_args."""

    def __init__(self, keywords: Mapping[str, Any]) -> None:
        self.place: Place = author()
        self.dag, self.group = home_of(self.place, keywords.get("dag"), keywords.get("task_group"))
        of_dag = self.dag.default_args if isinstance(self.dag, DAG) else {}
        own = keywords.get("default_args")
        if self.group is not None and self.group.default_args:
            of_dag = {**of_dag, **self.group.default_args}
        self.defaults: Mapping[str, Any] = {**of_dag, **own} if own else of_dag

    @classmethod
    def of_instance(cls, place: Place, defaults: Mapping[str, Any]) -> Self:
        """Of one instance of a mapped task, which is in no DAG by itself."""
        making = cls.__new__(cls)
        making.place, making.dag, making.group, making.defaults = place, None, None, defaults
        return making


def _of_root(init: Init) -> Keywords:
    """Of the ``__init__`` that takes the settings of every task."""
    return Keywords(init, ("task_id", *TASK_CHECKS, "pre_execute", "post_execute"), ("task_id",))


class Constructed:
    """The root of the operators' family: wraps the ``__init__`` of each class that has one."""

    _making: Making
    _keywords: ClassVar[Keywords]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "__init__" in vars(cls):
            cls._keywords = Keywords(cls.__init__) if hasattr(cls, "_keywords") else _of_root(cls.__init__)
            cls.__init__ = _constructor(cls.__init__, cls._keywords)  # type: ignore[method-assign]

    def link_inputs(self) -> None:
        """Called once the operator is made."""

    def begin_mapped(self, body: Any, settings: Mapping[str, Any]) -> None:
        """Make it a mapped task, from its settings only: ``body`` has the arguments of its own kind."""
        raise NotImplementedError


def accepted_names(kind: type[Constructed]) -> frozenset[str]:
    """Every keyword that operators of that class take, and so what default_args may name for them."""
    found: set[str] = set()
    for base in kind.__mro__:
        keywords = vars(base).get("_keywords")
        if isinstance(keywords, Keywords):
            found.update(keywords.names)
            if not keywords.passes_on:
                break
    return frozenset(found)


def make_apart(
    kind: type[Constructed], place: Place, defaults: Mapping[str, Any], keywords: Mapping[str, Any], **attributes: Any
) -> Constructed:
    """An operator in no DAG, that no edge leads to; ``attributes`` are there before its ``__init__`` runs."""
    made = kind.__new__(kind)
    made.__dict__.update(attributes, _making=Making.of_instance(place, defaults))
    made.__init__(**keywords)  # type: ignore[misc]
    del made.__dict__["_making"]
    return made


def required_names(kind: type[Constructed]) -> list[str]:
    """The keywords that operators of that class cannot be made without, in the order in which they are declared."""
    found: list[str] = []
    for base in kind.__mro__:
        keywords = vars(base).get("_keywords")
        if isinstance(keywords, Keywords):
            found += (name for name in keywords.names if name in keywords.required)
            if not keywords.passes_on:
                break
    return found


def _constructor(init: Init, keywords: Keywords) -> Init:
    """``init``, given default_args for the keywords that it names; the first one called also begins and ends."""
    names = keywords.names

    @wraps(init)
    def construct(self: Constructed, *args: Any, **kwargs: Any) -> None:
        making = self.__dict__.get("_making")
        outermost = making is None
        if making is None:
            making = self._making = Making(kwargs)
        if args:
            _refuse_positional(making.place, self, args[0])
        if making.defaults:
            for name in names:
                if name not in kwargs and name in making.defaults:
                    kwargs[name] = making.defaults[name]
        if not keywords.required <= kwargs.keys():
            _refuse_missing(making.place, self, keywords, kwargs)
        if not keywords.passes_on:
            refuse_unknown(making.place, name_of(self, kwargs), kwargs, names)
        init(self, **kwargs)
        if outermost:
            del self._making
            self.link_inputs()

    return construct


def name_of(operator: object, keywords: Mapping[str, Any]) -> str:
    """The operator in an error's words, such as ``BashOperator 'load'``."""
    kind = type(operator).__name__
    return f"{kind} {keywords['task_id']!r}" if "task_id" in keywords else kind


def _refuse_positional(place: Place, operator: object, argument: object) -> None:
    raise place.refuse(
        f"{type(operator).__name__} takes keywords only, such as task_id=…; it was given {argument!r} without one"
    )


def _refuse_missing(place: Place, operator: object, keywords: Keywords, given: Mapping[str, Any]) -> None:
    missing = next(name for name in keywords.names if name in keywords.required and name not in given)
    raise place.refuse(f"{name_of(operator, given)} needs {missing}=")
