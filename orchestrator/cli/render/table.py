"""Rows and single objects as tables and as plain columns."""

from collections.abc import Mapping, Sequence
from typing import IO, Any

from rich import box
from rich.cells import cell_len
from rich.console import JustifyMethod
from rich.table import Table
from rich.text import Text

from orchestrator.cli.render.console import cell, duration, out, remark, state_text
from orchestrator.names import UNMAPPED

Row = Mapping[str, Any]

_GAP = 3  # between two columns
_FOLDED = 24  # the least width of a column whose text goes over several lines
_MOMENTS = ("data_interval_end", "data_interval_start", "end_date", "logical_date", "start_date", "run_after")
_SPARED_FIRST = ("owner", "kind", *_MOMENTS)


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """A table with a line for each row; on a terminal that is too narrow a block for each, or without some columns."""
    console = out()
    telling = [name for name in columns if not _says_nothing(rows, name)]
    shown = _that_fit(rows, telling, console.width)
    if not shown:
        for row in rows:
            print_object({name: row[name] for name in telling})
            console.print()
        return
    lines = [[_shown(name, row[name]) for name in shown] for row in rows]
    numeric = [_is_numeric(rows, name) for name in shown]
    is_bare = not console.is_terminal and console.color_system is None
    bare = [list(shown), *([text.plain for text in line] for line in lines)] if is_bare else []
    widths = [max(map(cell_len, column)) for column in zip(*bare, strict=True)]
    if is_bare and _row_width(widths) <= console.width and _are_simple(bare):
        _write_bare(console.file, bare, widths, numeric)
    else:
        console.print(_table(shown, numeric, lines))
    if left_out := [name for name in telling if name not in shown]:
        remark(f"No room for {', '.join(left_out)}; -o json shows everything.")


def _table(columns: Sequence[str], numeric: Sequence[bool], lines: Sequence[Sequence[Text]]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for name, to_the_right in zip(columns, numeric, strict=True):
        justify: JustifyMethod = "right" if to_the_right else "left"
        table.add_column(name, overflow="fold", no_wrap=not _may_fold(name), justify=justify)
    for line in lines:
        table.add_row(*line)
    return table


def _row_width(widths: Sequence[int]) -> int:
    return sum(widths) + _GAP * (len(widths) - 1)


def _are_simple(lines: Sequence[Sequence[str]]) -> bool:
    return not any("\n" in text or "\t" in text for line in lines for text in line)


def _write_bare(file: IO[str], lines: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]) -> None:
    """The same table, where there is neither a terminal nor colour: far quicker, as there may be very many rows."""
    for number, line in enumerate(lines):
        places = zip(line, widths, numeric, strict=True)
        file.write((" " * _GAP).join(_padded(*place) for place in places) + "\n")
        if number == 0:
            file.write("─" * _row_width(widths) + "\n")


def _padded(text: str, width: int, to_the_right: bool) -> str:
    room = " " * (width - cell_len(text))
    return room + text if to_the_right else text + room


def _says_nothing(rows: Sequence[Row], name: str) -> bool:
    nothing = {"map_index": UNMAPPED, "rendered_map_index": None, "blocked": None}
    return name in nothing and all(row.get(name, nothing[name]) == nothing[name] for row in rows)


def _that_fit(rows: Sequence[Row], columns: Sequence[str], width: int) -> Sequence[str]:
    """The columns there is room for, with as many as possible of those that can be spared; none where that is not
    enough.
    """
    needed = {name: _least_width(rows, name) + _GAP for name in columns}
    for name in ("", *_SPARED_FIRST):
        needed.pop(name, None)
        if sum(needed.values()) - _GAP <= width:
            return list(needed)
    return []


def _least_width(rows: Sequence[Row], name: str) -> int:
    longest = max((_shown(name, row[name]).cell_len for row in rows), default=0)
    return max(len(name), min(longest, _FOLDED) if _may_fold(name) else longest)


def _may_fold(name: str) -> bool:
    """Whether the column can still be read when it goes over several lines: an id, a moment or a state cannot."""
    return not name.endswith(("_id", "state", "key", "duration", "_at", *_MOMENTS))


def print_object(row: Row) -> None:
    """A table with a line for each field that has a value."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in row.items():
        if cell(value):
            table.add_row(name, _shown(name, value))
    out().print(table)


def print_plain(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """Aligned columns without lines or colours, for grep and awk."""
    _print_columns([list(columns), *([_one_line(row[name]) for name in columns] for row in rows)])


def print_plain_object(row: Row) -> None:
    """A line for each field: its name and its value."""
    _print_columns([[name, _one_line(value)] for name, value in row.items()])


def _print_columns(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _shown(name: str, value: Any) -> Text:
    if name == "state":
        return state_text(value)
    return Text(duration(value) if name == "duration" and value is not None else cell(value))


def _one_line(value: Any) -> str:
    return " ".join(cell(value).split())


def _is_numeric(rows: Sequence[Row], name: str) -> bool:
    values = [row[name] for row in rows if row[name] is not None]
    return bool(values) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in values)
