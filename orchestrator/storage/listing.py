"""Lists that are asked for page by page: filters, an order and the number of all that fit."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import ColumnElement, Connection, Select, func

from orchestrator.exceptions import UsageError
from orchestrator.nearest import did_you_mean

R = TypeVar("R")


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Moments or numbers between two bounds, of which each may be included or not, or missing."""

    gte: datetime | float | None = None
    gt: datetime | float | None = None
    lte: datetime | float | None = None
    lt: datetime | float | None = None


class Paging(msgspec.Struct, frozen=True, kw_only=True):
    """``order_by`` are names of fields, with a minus before those that go down."""

    limit: int = 50
    offset: int = 0
    order_by: tuple[str, ...] = ()


class Page(msgspec.Struct, Generic[R], frozen=True):
    """Some rows, and how many there are in all."""

    rows: list[R]
    total: int


def within(column: ColumnElement[Any], span: Span) -> Iterator[ColumnElement[bool]]:
    """The conditions that a span makes."""
    if span.gte is not None:
        yield column >= span.gte
    if span.gt is not None:
        yield column > span.gt
    if span.lte is not None:
        yield column <= span.lte
    if span.lt is not None:
        yield column < span.lt


def ordered(
    query: Select[Any],
    paging: Paging,
    columns: Mapping[str, ColumnElement[Any]],
    last: Sequence[ColumnElement[Any]],
) -> Select[Any]:
    """The page of the query, in its order and, where that leaves it open, in that of ``last``. UsageError for a field
    that nothing is ordered by."""
    query = query.order_by(None)
    for field in paging.order_by:
        name = field.removeprefix("-")
        if name not in columns:
            raise UsageError(
                f"nothing is ordered by {name!r}{did_you_mean(name, columns)}; it can be by {_all(columns)}"
            )
        column = columns[name]
        query = query.order_by((column.desc() if field.startswith("-") else column.asc()).nulls_last())
    return query.order_by(*last).limit(paging.limit).offset(paging.offset or None)


def counted(connection: Connection, query: Select[Any]) -> int:
    """How many rows a query has that is not cut into pages."""
    query = query.order_by(None).with_only_columns(func.count(), maintain_column_froms=True)
    return int(connection.execute(query).scalar_one())


def fits(pattern: str | None, text: str) -> bool:
    """Whether a text is like an SQL pattern, however its letters are written."""
    if pattern is None:
        return True
    parts = (".*" if letter == "%" else "." if letter == "_" else re.escape(letter) for letter in pattern)
    return re.fullmatch("".join(parts), text, re.IGNORECASE | re.DOTALL) is not None


def _all(columns: Mapping[str, Any]) -> str:
    return ", ".join(columns)
