"""The fingerprint of code: the same for the same program, however it is laid out.

Python files count as their syntax tree, so comments, blank lines, quotes and line breaks do not matter; docstrings
count, for a program can read them, but not how they are indented or which blanks their lines end in. In settings
(the arguments of calls that are made while the file is parsed, and the dicts that are passed to them by name) the
order of a dict's keys does not matter; elsewhere it does, since code can depend on it. Every other file counts as its
bytes.
"""

import ast
import hashlib
import inspect
from collections.abc import Iterator, Mapping

_DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class _Mark(str):
    """Text to write as it is, among values to be written."""

    __slots__ = ()


def code_fingerprint(files: Mapping[str, bytes], trees: Mapping[str, ast.Module]) -> str:
    """The SHA-256 (hex) over a closure; ``trees`` are the syntax trees of its Python files, which this normalises."""
    found = hashlib.sha256()
    for name in sorted(files):
        tree = trees.get(name)
        content = files[name] if tree is None else normalised(tree).encode("utf-8", "surrogatepass")
        found.update(f"{name}\0{len(content)}\0".encode())
        found.update(content)
    return found.hexdigest()


def normalised(tree: ast.Module) -> str:
    """The tree as text, without its places; this changes the tree."""
    passed = _passed_by_name(tree)
    for node in ast.walk(tree):
        if isinstance(node, _DOCUMENTED):
            _clean_docstring(node)
    for node in _at_parse(tree):
        if isinstance(node, ast.keyword) or (isinstance(node, ast.Assign) and _names(node) & passed):
            _sort_keys(node.value)
    return "".join(_written(tree))


def _written(tree: ast.AST) -> Iterator[str]:
    """Each node with the fields that it has. Not recursive, as ``ast.dump`` is: a long chain of ``>>`` is deep."""
    waiting: list[object] = [tree]
    while waiting:
        item = waiting.pop()
        if isinstance(item, _Mark):
            yield item
        elif isinstance(item, list):
            waiting += [_Mark("]"), *reversed(item)]
            yield "["
        elif isinstance(item, ast.AST):
            waiting.append(_Mark(")"))
            for name, value in reversed(list(ast.iter_fields(item))):
                if value not in (None, []) or isinstance(item, ast.Constant):
                    waiting += [value, _Mark(f"{name}=")]
            yield f"{type(item).__name__}("
        else:
            yield f"{item!r},"


def _at_parse(tree: ast.AST) -> Iterator[ast.AST]:
    """The nodes outside of functions' bodies; decorators belong to them."""
    waiting = [tree]
    while waiting:
        node = waiting.pop()
        yield node
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting.extend(node.decorator_list)
        elif not isinstance(node, ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def _passed_by_name(tree: ast.AST) -> set[str]:
    """The names that stand as an argument's whole value."""
    keywords = (node for node in _at_parse(tree) if isinstance(node, ast.keyword))
    return {node.value.id for node in keywords if isinstance(node.value, ast.Name)}


def _names(node: ast.Assign) -> set[str]:
    return {target.id for target in node.targets if isinstance(target, ast.Name)}


def _sort_keys(value: ast.expr) -> None:
    """Put a dict display in the order of its keys, and those inside it; only where all keys are constants."""
    if not isinstance(value, ast.Dict):
        return
    pairs = list(zip(value.keys, value.values, strict=True))
    for _, inner in pairs:
        _sort_keys(inner)
    if all(isinstance(key, ast.Constant) for key, _ in pairs):
        pairs.sort(key=lambda pair: ast.dump(pair[0]) if pair[0] else "")
        value.keys = [key for key, _ in pairs]
        value.values = [inner for _, inner in pairs]


def _clean_docstring(node: _DOCUMENTED) -> None:
    first = node.body[0] if node.body else None
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines = inspect.cleandoc(first.value.value).splitlines()
        first.value.value = "\n".join(line.rstrip() for line in lines)
