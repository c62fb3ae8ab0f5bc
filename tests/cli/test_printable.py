"""What others wrote never steers the terminal of who reads it."""

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator.cli.printable import json_text, log_line, one_line, printable
from orchestrator.core.events import ActivityFailed, ActivityScheduled, ActivityStarted
from orchestrator.core.orders import log_path
from orchestrator.core.particulars import Failure
from orchestrator.names import FailureKind
from tests.cli.homes import FilledHome, order, run_command, spawn_words

HOSTILE = "\x1b[2J\x1b]0;owned\x07 \x9b31m \u202egpj.exe [bold red]not bold[/bold red] [/]"
STEERING = ("\x1b", "\x07", "\x9b", "\u202e")


def steers(text: str) -> bool:
    return any(letter in text for letter in STEERING)


@pytest.fixture
def hostile(home: FilledHome) -> FilledHome:
    home.add_dag(order(owner=HOSTILE, description=HOSTILE, doc_md=f"{HOSTILE}\nsecond line", tags=(HOSTILE,)))
    home.break_file("bro\x1b[2Jken.py", f"{HOSTILE} is wrong", 3, f'File "{HOSTILE}", line 3')
    failure = Failure(message=f"ValueError: {HOSTILE}\nsecond line")
    home.begin(
        "order_1001",
        "r1",
        ActivityScheduled(task_id="charge_card", attempt=1),
        ActivityStarted(task_id="charge_card", attempt=1, worker=HOSTILE),
        ActivityFailed(task_id="charge_card", attempt=1, kind=FailureKind.ERROR, failure=failure),
        conf={"hostile": HOSTILE},
    )
    return home


COMMANDS = [
    ["dags", "list"],
    ["dags", "details", "order_1001"],
    ["dags", "list-import-errors"],
    ["dags", "report"],
    ["runs", "show", "order_1001"],
    ["runs", "history", "order_1001"],
    ["runs", "why", "order_1001", "charge_card"],
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_hostile_text_is_shown_as_it_is_spelt(hostile: FilledHome, words: list[str]) -> None:
    said = run_command(*words)
    assert said.status == 0, said.err
    assert not steers(said.out + said.err)
    if words[1] not in ("report", "list"):
        assert "[bold red]not bold[/bold red] [/]" in said.out


@pytest.mark.parametrize("form", ["json", "yaml", "plain"])
@pytest.mark.parametrize("words", [["dags", "details", "order_1001"], ["runs", "history", "order_1001"]], ids=" ".join)
def test_no_output_format_lets_hostile_text_through(hostile: FilledHome, words: list[str], form: str) -> None:
    assert not steers(run_command(*words, "-o", form).out)


def test_json_still_says_the_same(hostile: FilledHome) -> None:
    assert run_command("dags", "details", "order_1001", "-o", "json").json["owner"] == HOSTILE


def test_each_fact_of_a_history_is_one_line(hostile: FilledHome) -> None:
    assert len(run_command("runs", "history", "order_1001").out.splitlines()) == 2 + 4


def test_an_error_repeats_what_was_typed_without_obeying_it(home: FilledHome) -> None:
    said = run_command("dags", "details", HOSTILE)
    assert said.status == 1
    assert not steers(said.err)
    assert said.err.count("\n") == 1


def read_logs_on_a_terminal(home: FilledHome, log: str, **environ: str) -> str:
    path = home.folder / "logs" / log_path(1, 2, -1)
    path.parent.mkdir(parents=True)
    path.write_text(log, encoding="utf-8")
    reader, writer = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    words = spawn_words("tasks", "logs", "order_1001", "charge_card")
    subprocess.run(words, env=inherited | environ, stdout=writer, check=True, cwd=Path(__file__).parents[2])
    os.close(writer)
    said = os.read(reader, 10_000).decode()
    os.close(reader)
    return said


def test_a_log_on_a_terminal_keeps_its_colours_and_nothing_else(hostile: FilledHome) -> None:
    said = read_logs_on_a_terminal(hostile, f"{HOSTILE}\x1b[32mgreen\nplain\n")
    assert "\x1b[32mgreen\x1b[0m\r\nplain" in said
    assert not steers(said.replace("\x1b[32m", "").replace("\x1b[0m", ""))


def test_a_log_without_colours_where_no_color_is_set(hostile: FilledHome) -> None:
    assert "green\r\n" in read_logs_on_a_terminal(hostile, "\x1b[32mgreen\n", NO_COLOR="1")


def test_text_is_printable_after_one_pass_and_keeps_its_lines() -> None:
    assert printable("a\tb\r\nc\x1b\x85\udcff") == "a\tb\nc\\x1b\\x85\\udcff"
    assert printable(printable(HOSTILE)) == printable(HOSTILE)
    assert one_line("a\nb\x0bc") == "a b c"


def test_json_is_the_same_value_without_what_steers() -> None:
    text = json.dumps({"a": HOSTILE}, ensure_ascii=False)
    assert json.loads(json_text(text)) == {"a": HOSTILE}
    assert not steers(json_text(text))


def test_a_coloured_line_ends_uncoloured() -> None:
    assert log_line("\x1b[31mred\n", colors=True) == "\x1b[31mred\x1b[0m\n"
    assert log_line("plain\n", colors=True) == "plain\n"
    assert log_line("a\rb\x1b[2J", colors=True) == "a\\rb\\x1b[2J"


def test_a_service_says_what_a_file_printed_without_obeying_it() -> None:
    script = (
        "import logging; from orchestrator.config import load_config; from pathlib import Path\n"
        "from orchestrator.cli.journal import notice, start_journal\n"
        "start_journal(load_config({'ORCHESTRATOR_HOME': '.'}, Path.cwd()))\n"
        "logging.getLogger('x').warning('it printed %s', '\\x1b[2J'); notice('\\x1b[2J')\n"
    )
    said = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stderr
    assert said.count("\\x1b[2J") == 2
    assert "\x1b[2J" not in said
