"""Figures: what was measured, beside its floor and its budget; and the one table that shows them."""

from collections.abc import Sequence
from typing import Literal

import msgspec
from rich import box
from rich.table import Table
from rich.text import Text

Direction = Literal["at most", "at least"]

_STYLES = {True: "green", False: "bold red", None: "dim"}
_WORDS = {True: "met", False: "missed", None: ""}


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of the table.

    ``floor`` is in the same unit as ``measured``, from the same run. The budget is on ``measured`` itself, or on its
    ratio to the floor where ``on_ratio``. A figure without a budget is there to be seen.
    """

    workload: str
    what: str
    measured: float
    unit: str
    floor: float | None = None
    budget: float | None = None
    direction: Direction = "at most"
    on_ratio: bool = False
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return None if not self.floor else self.measured / self.floor

    @property
    def met(self) -> bool | None:
        """Whether the budget is kept; None where there is none."""
        judged = self.ratio if self.on_ratio else self.measured
        if self.budget is None or judged is None:
            return None
        return judged <= self.budget if self.direction == "at most" else judged >= self.budget


def as_json(figures: Sequence[Figure]) -> bytes:
    """A list of objects: each figure with its ratio, and whether it is met."""
    rows = [{**msgspec.to_builtins(figure), "ratio": figure.ratio, "met": figure.met} for figure in figures]
    return msgspec.json.format(msgspec.json.encode(rows), indent=2)


def as_table(figures: Sequence[Figure]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, title="Measured on this machine, now", title_justify="left", pad_edge=False)
    table.add_column("workload", style="bold", no_wrap=True)
    table.add_column("figure")
    for name in ("measured", "floor", "ratio", "budget"):
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    before = ""
    for figure in figures:
        if before and figure.workload != before:
            table.add_section()
        table.add_row(*_cells(figure, repeated=figure.workload == before))
        before = figure.workload
    return table


def _cells(figure: Figure, *, repeated: bool) -> tuple[Text | str, ...]:
    what = Text(figure.what)
    if figure.note:
        what.append(f"\n{figure.note}", style="dim")
    return (
        "" if repeated else figure.workload,
        what,
        f"{_number(figure.measured)} {figure.unit}".strip(),
        "" if figure.floor is None else _number(figure.floor),
        "" if figure.ratio is None else f"{figure.ratio:.2f}",
        _budget(figure),
        Text(_WORDS[figure.met], style=_STYLES[figure.met]),
    )


def _budget(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    sign = "≤" if figure.direction == "at most" else "≥"
    return f"{sign} {_number(figure.budget)}{' of floor' if figure.on_ratio else ''}"


def _number(value: float) -> str:
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"
