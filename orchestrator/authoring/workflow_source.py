"""What the source of a workflow tells before it runs: what is made in it, and the ways in that its file opens."""

import ast
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from orchestrator.authoring.place import Place

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class Use(NamedTuple):
    """An object of this program that the source uses: as a decorator of ``name``, or called with ``name`` first."""

    what: Any
    name: str
    line: int
    doc: str | None = None


class WorkflowSource:
    """The file of a function that is a workflow, or is its ``run``; empty where that is not to be had.

    What a name stands for is looked up among the globals of the module: ``names``.
    """

    def __init__(self, body: Callable[..., Any], names: Mapping[str, Any]) -> None:
        self._code = body.__code__
        self._names = names

    @cached_property
    def _statements(self) -> list[ast.stmt]:
        try:
            lines = linecache.getlines(self._code.co_filename, dict(self._names))
            return ast.parse("".join(lines)).body
        except SyntaxError:  # the file has changed since it was run; the next parse sees it whole
            return []

    def place(self, line: int) -> Place:
        return Place(self._code.co_filename, line)

    @property
    def inside(self) -> Iterator[Use]:
        """Decorators of functions and classes that are inside the workflow's own definition, at any depth."""
        for statement in self._statements:
            if _first_line(statement) <= self._code.co_firstlineno <= (statement.end_lineno or 0):
                yield from self._decorators(node for node in ast.walk(statement) if node is not statement)

    @property
    def in_functions(self) -> Iterator[Use]:
        """Decorators and calls in the functions of the file that are no methods."""
        for statement in self._statements:
            if isinstance(statement, _FUNCTIONS):
                yield from self._decorators(node for node in ast.walk(statement) if node is not statement)
                yield from self._calls(ast.walk(statement))

    def _decorators(self, nodes: Iterable[ast.AST]) -> Iterator[Use]:
        for node in nodes:
            if isinstance(node, _FUNCTIONS | ast.ClassDef):
                doc = ast.get_docstring(node)
                for decorator in node.decorator_list:
                    yield Use(self._object(decorator), _name(decorator, node.name), decorator.lineno, doc)

    def _calls(self, nodes: Iterable[ast.AST]) -> Iterator[Use]:
        for node in nodes:
            if isinstance(node, ast.Call) and node.args and (name := _text(node.args[0])) is not None:
                yield Use(self._object(node.func), name, node.lineno)

    def _object(self, expression: ast.expr) -> Any:
        """What a name, ``a.b`` or the call of one stands for; None where that is not known before it runs."""
        if isinstance(expression, ast.Call):
            return self._object(expression.func)
        if isinstance(expression, ast.Attribute):
            return getattr(self._object(expression.value), expression.attr, None)
        return self._names.get(expression.id) if isinstance(expression, ast.Name) else None


def _first_line(statement: ast.stmt) -> int:
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def _name(decorator: ast.expr, default: str) -> str:
    """What ``name=`` says, where the decorator is called with one."""
    given = [word.value for word in decorator.keywords if word.arg == "name"] if isinstance(decorator, ast.Call) else []
    return next((text for value in given if (text := _text(value)) is not None), default)


def _text(value: ast.expr) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None
