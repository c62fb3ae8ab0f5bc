"""The result of an activity and what else it left for others, shown as what it is: a table, text, or JSON."""

import json
from collections.abc import Sequence
from typing import Any

import msgspec
from markupsafe import Markup

from orchestrator.assembly.home import Home
from orchestrator.assembly.outputs import LINK, RESULT, outputs_of, read_output, size_of
from orchestrator.assembly.rendered import RENDERED
from orchestrator.core import values
from orchestrator.core.particulars import XCom
from orchestrator.exceptions import NotFoundError, OrchestratorError
from orchestrator.nearest import did_you_mean
from orchestrator.storage.views import ActivityRow
from orchestrator.web.coloured import coloured_lines
from orchestrator.web.views.activity_head import ActivityHead

LARGEST_SHOWN = 512 * 1024
LARGEST_SENT = 256 * 1024 * 1024
_ROWS = 100
_COLUMNS = 40
_LONGEST_TEXT = 40_000
_LONGEST_CELL = 200
_MOST_KEYS = 200


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The first ``rows`` of ``total``, cells as text; of a table that only its libraries read there are none."""

    columns: list[str]
    rows: list[list[str]]
    total: int
    more_columns: int = 0


class Output(msgspec.Struct, frozen=True, kw_only=True):
    """One of them. ``size`` in bytes of JSON; ``kind`` in a word or two. Neither table nor lines: it is too large to be
    shown, or ``problem`` says why it cannot be.
    """

    key: str
    size: int
    kind: str = ""
    table: Table | None = None
    lines: Sequence[Markup] = ()
    text: str | None = None
    is_cut: bool = False
    problem: str = ""

    @property
    def title(self) -> str:
        return "Result" if self.key == RESULT else self.key


class ResultPage(msgspec.Struct, frozen=True, kw_only=True):
    """The result first, and then by key; ``more`` are not shown."""

    outputs: list[Output]
    more: int
    is_over: bool


def result_page(home: Home, head: ActivityHead) -> ResultPage:
    """Nothing larger than ``LARGEST_SHOWN`` is read for it."""
    found = {key: one for key, one in outputs_of(home, head.row).items() if not key.startswith(LINK)}
    found.pop(RENDERED, None)
    keys = sorted(found, key=lambda key: (key != RESULT, key))
    return ResultPage(
        outputs=[_output(home, head.row, key, found[key]) for key in keys[:_MOST_KEYS]],
        more=len(keys[_MOST_KEYS:]),
        is_over=head.row.ended_at is not None,
    )


def whole_output(home: Home, row: ActivityRow, key: str) -> bytes:
    """The recorded JSON; NotFoundError where there is nothing under that key, or too much."""
    found = outputs_of(home, row)
    if key not in found:
        raise NotFoundError(f"task {row.task_id!r} has left nothing under {key!r}{did_you_mean(key, found)}")
    if size_of(found[key]) > LARGEST_SENT:
        raise NotFoundError("this is too large to be sent; read it with `orchestrator tasks result`")
    return read_output(home, row.run_key, found[key])


def _output(home: Home, row: ActivityRow, key: str, one: XCom) -> Output:
    size = size_of(one)
    if size > LARGEST_SHOWN:
        return Output(key=key, size=size, kind="large", is_cut=True)
    try:
        data = values.readable(read_output(home, row.run_key, one))
        return shown(key, size, msgspec.json.decode(data))
    except (OrchestratorError, msgspec.DecodeError, RecursionError) as error:
        return Output(key=key, size=size, problem=str(error))


def shown(key: str, size: int, value: Any) -> Output:
    """A value in JSON's types and tags as people read it."""
    tag = value.get(values.TAG) if isinstance(value, dict) else None
    if isinstance(tag, str) and isinstance(value.get("columns"), list):
        return Output(key=key, size=size, kind=tag, table=_far_table(value))
    if _is_table(value):
        return Output(key=key, size=size, kind=f"list of {len(value)}", table=_table(value))
    if isinstance(value, str):
        cut = value[:_LONGEST_TEXT]
        return Output(key=key, size=size, kind="text", text=cut, is_cut=len(cut) < len(value))
    text = json.dumps(plain(value), ensure_ascii=False, indent=2)
    cut = text[:_LONGEST_TEXT]
    lines = coloured_lines(cut, "value.json")
    return Output(key=key, size=size, kind=_kind(value, tag), lines=lines, is_cut=len(cut) < len(text))


def plain(value: Any) -> Any:
    """Tagged values as the text that stands in them, so that a date reads as a date."""
    if isinstance(value, list):
        return [plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    if values.TAG in value and set(value) == {values.TAG, "value"}:
        return plain(value["value"])
    return {name: plain(item) for name, item in value.items()}


def _is_table(value: Any) -> bool:
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, dict) and row and values.TAG not in row for row in value)


def _table(rows: list[dict[str, Any]]) -> Table:
    first = rows[:_ROWS]
    columns = list(dict.fromkeys(name for row in first for name in row))
    return Table(
        columns=columns[:_COLUMNS],
        rows=[[_cell(row[name]) if name in row else "" for name in columns[:_COLUMNS]] for row in first],
        total=len(rows),
        more_columns=len(columns[_COLUMNS:]),
    )


def _far_table(value: dict[str, Any]) -> Table:
    columns = [str(name) for name in value["columns"]]
    total = value.get("rows")
    return Table(columns=columns[:_COLUMNS], rows=[], total=total if isinstance(total, int) else 0)


def _cell(value: Any) -> str:
    value = plain(value)
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= _LONGEST_CELL else f"{text[:_LONGEST_CELL]}…"


def _kind(value: Any, tag: object) -> str:
    match value:
        case _ if isinstance(tag, str):
            return tag
        case None:
            return "nothing"
        case bool():
            return "true or false"
        case int() | float():
            return "number"
        case list():
            return f"list of {len(value)}"
        case _:
            return f"object of {len(value)}"
