"""What the source of a workflow tells before it runs: activities that are made in it, and the ways in that it opens."""

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from orchestrator.authoring.place import Place

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class Nested(NamedTuple):
    """A function or class inside the workflow, and the object that decorates it."""

    name: str
    place: Place
    decorator: Any
    doc: str | None


class WorkflowSource:
    """The source of a workflow function, or of a class that is one; nothing of it where the source is not to be had."""

    def __init__(self, body: Callable[..., Any], names: Mapping[str, Any]) -> None:
        self._body = body
        self._names = names

    @cached_property
    def nested(self) -> tuple[Nested, ...]:
        """The decorated functions and classes in it, at any depth; what decorates each is looked up in its module."""
        try:
            lines, first = inspect.getsourcelines(self._body)
            tree = ast.parse(textwrap.dedent("".join(lines)))
        except (OSError, SyntaxError, TypeError):
            return ()
        file = inspect.getsourcefile(self._body) or ""
        return tuple(self._decorated(tree.body[0], file, first - 1))

    def _decorated(self, whole: ast.stmt, file: str, offset: int) -> Iterator[Nested]:
        for node in ast.walk(whole):
            if node is whole or not isinstance(node, _FUNCTIONS | ast.ClassDef):
                continue
            for decorator in node.decorator_list:
                place = Place(file, decorator.lineno + offset)
                yield Nested(node.name, place, self._object(decorator), ast.get_docstring(node))

    def _object(self, expression: ast.expr) -> Any:
        """What a name, ``a.b`` or the call of one stands for; None where that is not known before it runs."""
        if isinstance(expression, ast.Call):
            return self._object(expression.func)
        if isinstance(expression, ast.Attribute):
            return getattr(self._object(expression.value), expression.attr, None)
        return self._names.get(expression.id) if isinstance(expression, ast.Name) else None
