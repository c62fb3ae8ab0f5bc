"""Paging: ``limit``, ``offset`` and ``order_by`` of a request, spans of moments, and ``~`` for all."""

import inspect
from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, Path, Query, Request

from orchestrator.api.models.base import Moment
from orchestrator.exceptions import UsageError
from orchestrator.storage.listing import Paging, Span

ALL = "~"
MOST = 1000
_MOST_OFFSET = 2**31 - 1
_LONGEST = 250


def _paging(
    limit: Annotated[int, Query(ge=0, le=MOST, description="How many at most.")] = 50,
    offset: Annotated[int, Query(ge=0, le=_MOST_OFFSET, description="How many to leave out first.")] = 0,
    order_by: Annotated[
        list[Annotated[str, Query(max_length=100)]] | None,
        Query(max_length=10, description="Fields, with a minus before those that go down."),
    ] = None,
) -> Paging:
    fields = [field for text in order_by or () for field in text.split(",") if field]
    return Paging(limit=limit, offset=offset, order_by=tuple(fields))


Paged = Annotated[Paging, Depends(_paging)]
DagId = Annotated[str, Path(min_length=1, max_length=_LONGEST)]
RunId = Annotated[str, Path(min_length=1, max_length=_LONGEST)]
TaskId = Annotated[str, Path(min_length=1, max_length=_LONGEST)]
MapIndex = Annotated[int, Path(ge=-1, le=2**31 - 1)]
WhichMapIndex = Annotated[int, Query(ge=-1, le=2**31 - 1, description="Of a mapped task; -1 where it is none.")]
Pattern = Annotated[str | None, Query(max_length=_LONGEST, description="% stands for any text, _ for one character.")]


def one_or_all(name: str) -> str | None:
    """None for ``~``."""
    return None if name == ALL else name


def spans_of(*fields: str) -> Callable[..., dict[str, Span]]:
    """A dependency that reads ``FIELD_gte``, ``_gt``, ``_lte`` and ``_lt`` of these fields."""
    names = {f"{field}_{bound}": (field, bound) for field in fields for bound in ("gte", "gt", "lte", "lt")}

    def read(**given: Any) -> dict[str, Span]:
        found: dict[str, dict[str, Any]] = {}
        for name, value in given.items():
            if value is not None:
                field, bound = names[name]
                found.setdefault(field, {})[bound] = value
        return {field: Span(**bounds) for field, bounds in found.items()}

    read.__signature__ = _signature(names)  # type: ignore[attr-defined]
    return read


def _signature(names: dict[str, tuple[str, str]]) -> Any:
    kinds = {True: Annotated[float | None, Query(allow_inf_nan=False)], False: Annotated[Moment | None, Query()]}
    return inspect.Signature(
        [
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=kinds[field == "duration"])
            for name, (field, _) in names.items()
        ]
    )


def no_nul(request: Request) -> None:
    """A database takes no NUL in a text, so nothing has one in its name."""
    if "\x00" in request.url.path or "%00" in request.url.query:
        raise UsageError("a name has no NUL character in it; leave it out")
