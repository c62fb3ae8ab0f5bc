"""Tables on terminals of every width."""

import io
from typing import Any

import pytest
from rich.console import Console
from rich.text import Text

from orchestrator.cli.render import table
from orchestrator.cli.rows import RUN_COLUMNS, TASK_COLUMNS
from tests.cli.homes import START

RUN_ID = "manual__2026-01-31T06:00:00.123456+00:00"
RUN = dict.fromkeys(("logical_date", "start_date", "end_date"), START)
RUN |= {"dag_id": "order_1001", "run_id": RUN_ID, "state": "success", "duration": 1.5}
TASK = dict.fromkeys(("start_date", "end_date"), START)
TASK |= {"task_id": "charge_card", "map_index": -1, "state": "awaiting_input", "try_number": 1, "duration": 1.5}


COLUMNS = tuple(name for name in RUN_COLUMNS if name != "blocked")  # which says nothing where no run is blocked


def shown(monkeypatch: pytest.MonkeyPatch, width: int, rows: list[dict[str, Any]], columns: tuple[str, ...]) -> str:
    file = io.StringIO()
    console = Console(file=file, width=width, highlight=False)
    monkeypatch.setattr(table, "out", lambda: console)
    table.print_table(rows, columns)
    return file.getvalue()


def test_a_wide_terminal_shows_every_column(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head = shown(monkeypatch, 160, [RUN], RUN_COLUMNS).splitlines()[0]
    assert head.split() == list(COLUMNS)
    blocked = shown(monkeypatch, 160, [RUN | {"blocked": None}, RUN | {"blocked": "stuck"}], RUN_COLUMNS).splitlines()
    assert blocked[0].split() == list(RUN_COLUMNS)
    assert blocked[-1].split()[-1] == "stuck"
    assert capsys.readouterr().err == ""


def test_eighty_columns_leave_out_moments_and_say_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head, _, row = shown(monkeypatch, 80, [RUN], RUN_COLUMNS).splitlines()
    assert head.split() == ["dag_id", "run_id", "state", "duration"]
    assert row.split() == ["order_1001", RUN_ID, "success", "1.50s"]
    assert capsys.readouterr().err.startswith("No room for logical_date, start_date, end_date")


def test_a_narrow_terminal_shows_a_block_for_each_row(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = shown(monkeypatch, 60, [RUN, RUN], RUN_COLUMNS).splitlines()
    assert [line.split()[0] for line in lines if line.strip()] == [*COLUMNS, *COLUMNS]
    assert any(RUN_ID in line for line in lines)


@pytest.mark.parametrize("width", range(20, 161, 10))
def test_no_line_is_wider_than_the_terminal_and_no_state_is_torn(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    said = shown(monkeypatch, width, [TASK], TASK_COLUMNS)
    assert max(len(line) for line in said.splitlines()) <= width
    if width > 30:
        assert "awaiting_input" in said


def test_long_words_fold_and_do_not_push_others_out(monkeypatch: pytest.MonkeyPatch) -> None:
    row = {"file": "a.py", "line": 3, "error": "x" * 200}
    said = shown(monkeypatch, 60, [row], ("file", "line", "error"))
    assert said.splitlines()[0].split() == ["file", "line", "error"]
    assert said.count("x") == 200


def test_the_map_index_is_shown_where_something_is_mapped(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "map_index" not in shown(monkeypatch, 160, [TASK], TASK_COLUMNS)
    assert "map_index" in shown(monkeypatch, 160, [TASK, TASK | {"map_index": 0}], TASK_COLUMNS)


def test_a_table_in_a_file_looks_as_it_does_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [
        TASK | {"try_number": number, "task_id": name} for number, name in ((3, "ship"), (12, "日本"), (0, "x" * 30))
    ]
    file, terminal = io.StringIO(), io.StringIO()
    for stream, is_terminal in ((file, False), (terminal, True)):
        console = Console(file=stream, width=200, highlight=False, force_terminal=is_terminal, no_color=True)
        monkeypatch.setattr(table, "out", lambda console=console: console)
        table.print_table(rows, TASK_COLUMNS)
    assert file.getvalue() == Text.from_ansi(terminal.getvalue()).plain
