"""Rows and single objects as tables and as plain columns."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich import box
from rich.table import Table
from rich.text import Text

from orchestrator.cli.render.console import cell, duration, out, state_text

Row = Mapping[str, Any]


def print_table(rows: Sequence[Row], columns: Sequence[str]) -> None:
    """A table with a line for each row."""
    table = Table(box=box.SIMPLE_HEAD, header_style="bold", pad_edge=False, show_edge=False)
    for name in columns:
        table.add_column(name, overflow="fold", justify="right" if _is_numeric(rows, name) else "left")
    for row in rows:
        table.add_row(*(_shown(name, row[name]) for name in columns))
    out().print(table)


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
