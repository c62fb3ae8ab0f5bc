"""The program as a whole: its help, how it ends, and what it costs to start."""

import os
import pty
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from orchestrator.cli import orchestrator
from orchestrator.cli.exits import end
from orchestrator.cli.lazy import Branch, Leaf
from orchestrator.cli.tree import COMMANDS
from orchestrator.exceptions import ConfigError, DagError, NotFoundError, UsageError
from tests.cli.homes import FilledHome, run_command, spawn_words

ROOT = Path(__file__).parents[2]


def leaves() -> Iterator[tuple[str, Leaf]]:
    for name, entry in COMMANDS.items():
        if isinstance(entry, Branch):
            yield from ((f"{name} {verb}", leaf) for verb, leaf in entry.commands.items())
        else:
            yield name, entry


COMMANDS_BY_NAME = dict(leaves())


def spawn(*words: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        spawn_words(*words), cwd=ROOT, env=os.environ | environ, capture_output=True, text=True, check=False
    )


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_a_command_is_there_with_the_help_that_the_list_promises(name: str) -> None:
    leaf = COMMANDS_BY_NAME[name]
    command = leaf.load()
    assert command.name == name.rpartition(" ")[2]
    assert command.help is not None
    assert command.help.splitlines()[0] == leaf.summary


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_the_help_of_a_command_shows_an_example_of_it(name: str) -> None:
    help_text = COMMANDS_BY_NAME[name].load().help or ""
    _, _, examples = help_text.partition("Example:\n")
    assert f"orchestrator {name}" in examples


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_the_example_of_a_command_can_be_parsed(name: str) -> None:
    help_text = COMMANDS_BY_NAME[name].load().help or ""
    for line in re.findall(r"^\s+orchestrator (.*?)(?:\s*[|>#].*)?$", help_text, re.MULTILINE):
        words = shlex.split(line)
        context = orchestrator.make_context("orchestrator", list(words), resilient_parsing=False)
        while isinstance(context.command, click.Group):
            verb, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
            assert command is not None
            context = command.make_context(verb, rest, parent=context)


@pytest.mark.parametrize("name", COMMANDS_BY_NAME)
def test_every_option_says_what_it_does(name: str) -> None:
    command = COMMANDS_BY_NAME[name].load()
    silent = [option.opts for option in command.params if isinstance(option, click.Option) and not option.help]
    assert silent == []


def test_help_lists_every_command() -> None:
    said = run_command("--help")
    assert said.status == 0
    assert [name for name in COMMANDS if f"\n  {name} " not in said.out] == []


def test_a_group_without_a_verb_shows_its_help() -> None:
    said = run_command("dags")
    assert said.status == 2
    assert "next-execution" in said.err


@pytest.mark.parametrize(
    ("words", "nearest"), [(["dgas"], "'dags'"), (["dags", "lst"], "'list'"), (["tasks", "log"], "'logs'")]
)
def test_an_unknown_command_names_the_nearest(words: list[str], nearest: str) -> None:
    said = run_command(*words)
    assert said.status == 2
    assert said.err.count("\n") == 1
    assert f"did you mean {nearest}?" in said.err


def test_an_unknown_option_is_one_line_with_the_way_to_the_help() -> None:
    said = run_command("dags", "list", "--outptu", "json")
    assert said.status == 2
    assert said.err.count("\n") == 1
    assert "'orchestrator dags list --help'" in said.err


def test_bytes_that_are_no_text_are_refused() -> None:
    said = run_command("dags", "details", "order\udcff")
    assert said.status == 2
    assert said.err == "Error: 'order\\udcff' is no valid text; write it in UTF-8\n"


def test_a_missing_argument_is_a_usage_error() -> None:
    said = run_command("dags", "trigger")
    assert said.status == 2
    assert "DAG" in said.err


@pytest.mark.parametrize(
    ("error", "status", "line"),
    [
        (UsageError("no"), 2, "Error: no\n"),
        (NotFoundError("no\nsuch"), 1, "Error: no such\n"),
        (ConfigError("no"), 1, "Error: no\n"),
        (DagError("no", file="x.py", line=3), 1, "Error: x.py:3: no\n"),
        (click.UsageError("No."), 2, "Error: No\n"),
        (PermissionError(13, "Permission denied", "/x/dags"), 1, "Error: /x/dags: Permission denied\n"),
        (KeyboardInterrupt(), 130, "Error: interrupted\n"),
        (click.Abort(), 130, "Error: interrupted\n"),
    ],
)
def test_each_kind_of_error_has_one_exit_status_and_one_line(
    error: BaseException, status: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert end(error) == status
    assert capsys.readouterr().err == line


def test_a_defect_is_one_line_unless_its_place_is_asked_for(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ORCHESTRATOR_TRACEBACK", raising=False)
    assert end(KeyError("x")) == 1
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "defect" in said
    monkeypatch.setenv("ORCHESTRATOR_TRACEBACK", "1")
    with pytest.raises(KeyError):
        end(KeyError("x"))


def test_a_wrong_setting_stops_every_command_with_its_place(home: FilledHome) -> None:
    (home.folder / "airflow_like.cfg").write_text("[core]\nparalelism = 3\n")
    said = run_command("dags", "list")
    assert said.status == 1
    assert said.err.startswith(f"Error: {home.folder}/airflow_like.cfg:2: ")


def test_a_closed_pipe_ends_quietly() -> None:
    with subprocess.Popen(
        spawn_words("config", "list", "-o", "json"), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
    assert said == b""


def test_a_full_disk_behind_the_output_is_one_line() -> None:
    with Path("/dev/full").open("w") as full:
        said = subprocess.run(
            spawn_words("config", "list"), cwd=ROOT, stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert (said.returncode, said.stderr) == (1, "Error: the output cannot be written: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_change_nothing_but_what_is_heard(closed: str) -> None:
    command = f"{shlex.join(spawn_words('config', 'list'))} {closed}"
    said = subprocess.run(["bash", "-c", command], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (said.returncode, said.stderr) == (0, "")


def test_the_exit_status_reaches_the_shell(shop: FilledHome) -> None:
    assert spawn("dags", "state", "order_1001").returncode == 0
    assert spawn("dags", "state", "order_101").returncode == 1
    assert spawn("dags", "state").returncode == 2


def test_a_program_reads_pure_json_from_stdout(shop: FilledHome) -> None:
    found = spawn("dags", "list", "-o", "json", FORCE_COLOR="1")
    assert found.stdout.startswith("[\n")
    assert "\x1b" not in found.stdout


def test_no_color_is_honoured(shop: FilledHome) -> None:
    assert "\x1b[3" in spawn("runs", "history", "order_1001", FORCE_COLOR="1", TERM="xterm-256color").stdout
    assert "\x1b[3" not in spawn("runs", "history", "order_1001", FORCE_COLOR="1", NO_COLOR="1").stdout


@pytest.mark.parametrize(("environ", "colored"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_an_error_is_red_on_a_terminal_unless_no_color_is_set(environ: dict[str, str], colored: bool) -> None:
    reader, writer = pty.openpty()
    inherited = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    subprocess.run(spawn_words("nonsense"), cwd=ROOT, env=inherited | environ, stderr=writer, check=False)
    os.close(writer)
    said = os.read(reader, 10_000)
    os.close(reader)
    assert (b"\x1b[31m" in said) is colored


SLOW = {"sqlalchemy", "alembic", "networkx", "rich", "fsspec", "croniter", "msgspec", "watchfiles", "jinja2"}


def loaded(*words: str) -> set[str]:
    script = (
        "import sys, io; from orchestrator.cli import main; real, sys.stdout = sys.stdout, io.StringIO(); "
        f"main({list(words)!r}); print(*sys.modules, file=real)"
    )
    found = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    return SLOW & set(found.stdout.split())


@pytest.mark.parametrize("words", [["--help"], ["dags", "--help"], ["tasks"], ["nonsense"]])
def test_help_loads_none_of_the_large_libraries(words: list[str]) -> None:
    assert loaded(*words) <= {"msgspec"}  # it reads the settings, which say where plugins with commands are


def test_listing_dags_loads_no_library_that_it_does_not_need(shop: FilledHome) -> None:
    assert loaded("dags", "list") == {"sqlalchemy", "rich", "msgspec"}


def test_the_version_is_an_option_too() -> None:
    asked, told = run_command("--version"), run_command("version")
    assert (asked.status, asked.out) == (0, told.out)
    assert asked.out.strip()
