"""What a file imports of Airflow, and what comes of that: read from its source, nothing is run."""

import ast
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from orchestrator.compat.airflow.catalog import ROOT, Missing, Served, find, find_module
from orchestrator.compat.airflow.findings import Finding, Kind

_CAUGHT = frozenset({"ImportError", "ModuleNotFoundError", "Exception", "BaseException"})


class Imported(NamedTuple):
    """``from module import name as alias``, or ``import module`` where ``name`` is empty."""

    module: str
    name: str
    alias: str
    line: int


def imported(tree: ast.Module) -> Iterator[Imported]:
    """What is imported of Airflow, anywhere in the file; not where its absence is caught, nor for type checkers."""
    return _of_block(tree.body)


def import_findings(file: str, tree: ast.Module) -> Iterator[Finding]:
    """What differs and what is missing."""
    for one in imported(tree):
        found = look_up(one)
        if isinstance(found, Missing):
            yield Finding(file=file, line=one.line, kind=Kind.MISSING, sentence=found.sentence, feature=found.feature)
        elif found.difference:
            what = f"{one.module}.{one.name} {found.difference}"
            yield Finding(file=file, line=one.line, kind=Kind.DIFFERS, sentence=what)


def look_up(one: Imported) -> Served | Missing:
    """What that import gives."""
    missing = find_module(one.module)
    if missing is not None:
        return missing
    return find(one.module, one.name) if one.name and one.name != "*" else Served(one.module)


def _of_block(nodes: Iterable[ast.AST]) -> Iterator[Imported]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom | ast.Import):
            yield from _of_statement(node)
        elif isinstance(node, ast.Try) and _catches_imports(node):
            yield from _of_block([*node.orelse, *node.finalbody])
        elif isinstance(node, ast.If) and _is_for_type_checkers(node.test):
            yield from _of_block(node.orelse)
        else:
            yield from _of_block(ast.iter_child_nodes(node))


def _of_statement(node: ast.ImportFrom | ast.Import) -> Iterator[Imported]:
    if isinstance(node, ast.Import):
        names = [Imported(alias.name, "", alias.asname or alias.name, node.lineno) for alias in node.names]
    elif node.level or node.module is None:
        return
    else:
        names = [Imported(node.module, alias.name, alias.asname or alias.name, alias.lineno) for alias in node.names]
    yield from (one for one in names if one.module == ROOT or one.module.startswith(f"{ROOT}."))


def _catches_imports(node: ast.Try) -> bool:
    """Whether the file goes on without what it tries to import; whether it can, is for its parse to say."""
    return any(handler.type is None or _names(handler.type) & _CAUGHT for handler in node.handlers)


def _is_for_type_checkers(test: ast.expr) -> bool:
    return "TYPE_CHECKING" in _names(test)


def _names(node: ast.expr) -> set[str]:
    return {getattr(part, "attr", "") or getattr(part, "id", "") for part in ast.walk(node)}
