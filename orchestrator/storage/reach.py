"""Reach in SQL: a condition that lets the DAGs through that somebody may see, so that no list reads the others."""

from typing import Any

from sqlalchemy import Boolean, ColumnElement, Text, and_, bindparam, false, or_, true
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from orchestrator.core.rights import Reach

_AS_LIKE = str.maketrans({"*": "%", "?": "_", "_": "\\_"})


def within(dag_id: ColumnElement[str], reach: Reach) -> ColumnElement[bool]:
    """Whether the DAG of that column is one of ``reach``."""
    return and_(true(), *(_fits_one(dag_id, patterns) for patterns in reach.sets))


def _fits_one(dag_id: ColumnElement[str], patterns: frozenset[str]) -> ColumnElement[bool]:
    globs = {pattern for pattern in patterns if "*" in pattern or "?" in pattern}
    ids = sorted(patterns - globs)
    conditions: list[ColumnElement[bool]] = [_fits(dag_id, pattern) for pattern in sorted(globs)]
    return or_(false(), *([dag_id.in_(ids)] if ids else []), *conditions)


def _fits(dag_id: ColumnElement[str], pattern: str) -> ColumnElement[bool]:
    glob, like = (bindparam(None, text, type_=Text, unique=True) for text in (pattern, pattern.translate(_AS_LIKE)))
    return _Fits(dag_id, glob, like)


class _Fits(FunctionElement[bool]):
    """SQLite's GLOB or the standard's LIKE, whichever minds capitals."""

    inherit_cache = True
    type = Boolean()


@compiles(_Fits)
def _like(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    dag_id, _, like = element.clauses
    return f"({compiler.process(dag_id, **options)} LIKE {compiler.process(like, **options)} ESCAPE '\\')"


@compiles(_Fits, "sqlite")
def _glob(element: Any, compiler: SQLCompiler, **options: Any) -> str:
    dag_id, glob, _ = element.clauses
    return f"({compiler.process(dag_id, **options)} GLOB {compiler.process(glob, **options)})"
