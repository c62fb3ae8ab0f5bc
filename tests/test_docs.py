"""The documentation can fail the build: what it lists is there, what it shows runs, where it points exists."""

import re
import shlex
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

import orchestrator
from orchestrator import cli, operators
from orchestrator.authoring.context import CONTEXT_KEYS
from orchestrator.authoring.settings import DAG_CHECKS, TASK_CHECKS
from orchestrator.core.events import EVENT_TYPES
from orchestrator.names import RunState, RunType, TaskState, TriggerRule
from orchestrator.testing.home import LiveHome

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\((?!https?:|mailto:)([^)#\s]+)(#[^)\s]*)?\)")
PYTHON = re.compile(r"^```python(?: file=(\S+))?\n(.*?)^```", re.MULTILINE | re.DOTALL)
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


def anchors(page: Path) -> set[str]:
    """The fragments that a page's headings make, as the usual renderers spell them."""
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    titles = re.findall(r"^#+ (.+)$", prose, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles}


def sections(page: Path) -> dict[str, str]:
    """Text by the title of its third-level heading."""
    parts = re.split(r"^### (\w+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented_fields(section: str) -> list[tuple[str, bool]]:
    """Each field of an event's table, and whether it is needed."""
    rows = re.findall(r"^\| `(\w+)` \|[^|]*\| ([^|]*) \|", section, re.MULTILINE)
    return [(name, default.strip() == "needed") for name, default in rows]


def declared_fields(event: type[Any]) -> list[tuple[str, bool]]:
    return [(field.name, field.required) for field in msgspec.structs.fields(event)]


def python_shown(page: Path) -> list[tuple[str, str]]:
    """The Python of a page: the name of the file that it is to be, which may be empty, and the source."""
    return PYTHON.findall(page.read_text(encoding="utf-8"))


def test_the_page_of_events_lists_every_event_in_the_order_of_the_module() -> None:
    assert list(sections(DOCS / "reference/events.md")) == [event.__name__ for event in EVENT_TYPES]


@pytest.mark.parametrize("event", EVENT_TYPES, ids=lambda event: event.__name__)
def test_the_page_of_events_lists_every_field_and_names_the_invariant(event: type[Any]) -> None:
    section = sections(DOCS / "reference/events.md")[event.__name__]
    assert documented_fields(section) == declared_fields(event)
    assert "**Keeps:**" in section


def test_the_glossary_explains_every_state_run_type_and_trigger_rule() -> None:
    page = (DOCS / "reference/glossary.md").read_text(encoding="utf-8")
    words = {word.value for family in (TaskState, RunState, RunType, TriggerRule) for word in family}
    assert sorted(word for word in words if f"`{word}`" not in page) == []


def codes(page: Path) -> set[str]:
    """Every word that a page sets as code."""
    return set(re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")))


def test_the_page_of_dag_files_lists_every_name_and_setting_that_a_dag_file_can_write() -> None:
    names = {*orchestrator.__all__, *operators.__all__, *TASK_CHECKS, *DAG_CHECKS}
    assert sorted(names - codes(DOCS / "reference/dag-files.md")) == []


def test_the_page_of_the_context_lists_every_key() -> None:
    assert sorted(CONTEXT_KEYS - codes(DOCS / "reference/context.md")) == []


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_link_of_a_page_leads_somewhere(page: Path) -> None:
    prose = FENCE.sub("", page.read_text(encoding="utf-8"))
    for target, fragment in LINK.findall(prose):
        place = (page.parent / target).resolve()
        assert place.exists(), f"{relative(page)} points to {target}, which is not there"
        if fragment and place.suffix == ".md":
            assert fragment[1:] in anchors(place), f"{relative(page)} points to {target}{fragment}, no such heading"


def test_every_page_is_reached_from_the_index() -> None:
    index = (DOCS / "index.md").read_text(encoding="utf-8")
    listed = {(DOCS / target).resolve() for target, _ in LINK.findall(index)}
    reached = listed | {decision for folder in listed if folder.is_dir() for decision in folder.glob("*.md")}
    missing = [relative(page) for page in DOCS.rglob("*.md") if page.resolve() not in reached | {DOCS / "index.md"}]
    assert missing == []


def test_every_decision_record_says_what_was_decided_why_and_what_breaks_it() -> None:
    for page in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        titles = re.findall(r"^## (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert titles == ["Context", "Decision", "Consequences", "What breaks it"], relative(page)


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_all_python_that_a_page_shows_can_be_compiled(page: Path) -> None:
    for _, source in python_shown(page):
        compile(source, relative(page), "exec")


def commands_shown(page: Path) -> list[str]:
    """Every command line of the program that a page shows in a fence, without its comment."""
    fences = "\n".join(FENCE.findall(page.read_text(encoding="utf-8")))
    lines = re.findall(r"^(orchestrator .*)$", fences, re.MULTILINE)
    return [re.split(r" [#|>] ?", line)[0].strip() for line in lines if "[OPTIONS]" not in line]


def command_of(arguments: list[str]) -> tuple[click.Command, list[str]]:
    """The command that the first words name, and the rest of the words."""
    command: click.Command = cli.orchestrator
    while arguments[0] in ("--url", "--ca"):
        arguments = arguments[2:]
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), arguments[0])
        assert found is not None, f"there is no command {arguments[0]}"
        command, arguments = found, arguments[1:]
    return command, arguments


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_every_command_that_a_page_shows_is_one(page: Path) -> None:
    for line in commands_shown(page):
        command, rest = command_of(shlex.split(line)[1:])
        command.make_context(line, rest)


def test_the_tutorial_ends_as_it_says(tmp_path: Path) -> None:
    with LiveHome(tmp_path) as home:
        for name, source in python_shown(DOCS / "tutorial/first-dag.md"):
            home.write_dag(name, source)
        home.start()
        home.wait_for("the DAGs are listed", lambda: home.lists("naps"))
        for run_id, conf, said in (("dry", "{}", "water"), ("wet", '{"rain_mm": [4, 3, 2]}', "rest")):
            done = home.run("dags", "trigger", "garden", "--run-id", run_id, "--conf", conf, "--wait")
            assert done.returncode == 0, done.stderr
            assert home.ask("tasks", "result", "garden", "decide", run_id) == said
        done = home.run("dags", "trigger", "naps", "--run-id", "short", "--conf", '{"seconds": 0}', "--wait")
        assert done.returncode == 0, done.stderr
        assert home.ask("tasks", "result", "naps", "nap__2", "short") == 3
        home.ask("dags", "trigger", "expense", "--run-id", "lunch", "--conf", '{"amount": 120}')
        waits = "waits for signal 'approved', at most until"
        home.wait_for("it waits", lambda: waits in home.run("runs", "why", "expense", "lunch").stdout)
        assert home.run("runs", "query", "expense", "lunch", "where").stdout == '"waiting"\n'
        assert home.run("runs", "signal", "expense", "lunch", "approved", "true").returncode == 0
        assert home.run("runs", "watch", "expense", "lunch").returncode == 0
        assert home.ask("runs", "result", "expense", "lunch") == "paid 120.00"


def test_what_the_readme_shows_is_a_dag_and_a_workflow(tmp_path: Path) -> None:
    (_, source), (_, workflow) = python_shown(ROOT / "README.md")
    with LiveHome(tmp_path) as home:
        home.write_dag("order.py", source)
        home.write_dag("with_approval.py", workflow)
        home.run("db", "migrate")
        home.start("dag-processor")
        home.wait_for("the DAG is listed", lambda: home.lists("order"))
        assert {task["task_id"] for task in home.ask("tasks", "list", "order")} == {
            "charge_card",
            "send_confirmation_email",
        }
        home.wait_for("so is the workflow", lambda: home.lists("order_with_approval"))
