"""Source: the text of one function, taken out of its file, for a Python that does not have the file's modules."""

import ast
import inspect
import linecache
from collections.abc import Callable
from typing import Any, NamedTuple

from orchestrator.authoring.place import Place

_FUNCTIONS = ast.FunctionDef | ast.AsyncFunctionDef


class Source(NamedTuple):
    """``text`` is the definition without its decorators, where it stands: its lines have the numbers of ``file``."""

    file: str
    name: str
    text: str


def check_body(place: Place, what: str, function: Any) -> None:
    """DagError unless the function can be run by itself, away from its file."""
    if not inspect.isfunction(function) or function.__name__ == "<lambda>":
        raise place.refuse(f"{what}: python_callable must be a function made with def, not {function!r}")
    if inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function):
        raise place.refuse(f"{what}: function {function.__name__!r} yields; let it return a list")
    if inspect.unwrap(function) is not function:
        raise place.refuse(
            f"{what}: function {function.__name__!r} has another decorator, which the other Python does not have; "
            f"do inside of the function what that does"
        )
    free = [name for name in function.__code__.co_freevars if name != function.__name__]
    if free:
        raise place.refuse(
            f"{what}: function {function.__name__!r} uses {free[0]!r} of the function around it, which the other "
            f"Python does not have; pass it as an argument"
        )
    if _definition(function) is None:
        raise place.refuse(f"{what}: the source of function {function.__name__!r} is not to be had; write it in a file")


def source_of(function: Callable[..., Any]) -> Source:
    """The source of a function that ``check_body`` has let through."""
    node = _definition(function)
    assert node is not None
    lines = _lines(function)[node.lineno - 1 : node.end_lineno]
    # An indented one is the body of an `if`: taking the indentation away would change texts of several lines in it.
    above = "\n" * (node.lineno - 2) + ("if True:\n" if node.col_offset else "\n") if node.lineno > 1 else ""
    return Source(function.__code__.co_filename, function.__name__, above + "".join(lines))


def _definition(function: Callable[..., Any]) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    code = function.__code__
    try:
        tree = ast.parse("".join(_lines(function)))
    except SyntaxError:
        return None
    for node in ast.walk(tree):
        if isinstance(node, _FUNCTIONS) and node.name == code.co_name:
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            if first == code.co_firstlineno:
                return node
    return None


def _lines(function: Callable[..., Any]) -> list[str]:
    return linecache.getlines(function.__code__.co_filename, function.__globals__)
