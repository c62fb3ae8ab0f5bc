"""The pages about workflows are held to the modules: every name and setting, and all code that they show."""

import re
from pathlib import Path

import pytest

from orchestrator import workflow
from orchestrator.authoring.activity import ACTIVITY_CHECKS, ActivitySettings
from orchestrator.authoring.blue import RunView
from orchestrator.authoring.defaults import Defaults
from orchestrator.authoring.workflow_decorator import WORKFLOW_CHECKS, WorkflowSettings
from orchestrator.dagbag.jobs import Job
from orchestrator.dagbag.parsing import Parse

DOCS = Path(__file__).parents[2] / "docs"
REFERENCE = (DOCS / "reference/workflows.md").read_text(encoding="utf-8")
PAGES = [DOCS / "reference/workflows.md", DOCS / "how-to/workflows.md"]
SHOWN = [
    (page.parent.name, number, source)
    for page in PAGES
    for number, source in enumerate(
        re.findall(r"^```python[^\n]*\n(.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    )
]


def listed(heading: str) -> set[str]:
    """The code in the first column of the tables below a heading, without arguments."""
    section = REFERENCE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    first = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    return {re.sub(r"\(.*", "", code) for column in first for code in re.findall(r"`([^`]+)`", column)}


def test_the_page_lists_every_name_of_the_module_and_no_other() -> None:
    others = {"heartbeat", "last_progress", "ActivityError", "ChildError", "WorkflowCancelled"}
    assert listed("Names") - others == set(workflow.__all__)


def test_the_page_lists_every_setting_of_a_workflow_and_of_an_activity() -> None:
    assert listed("Settings of a workflow") == set(WORKFLOW_CHECKS)
    assert listed("Settings of an activity") == set(ACTIVITY_CHECKS)


def test_type_checkers_know_the_same_settings_as_the_program() -> None:
    assert set(WorkflowSettings.__annotations__) == set(WORKFLOW_CHECKS)
    assert set(ActivitySettings.__annotations__) == set(ACTIVITY_CHECKS)


def test_the_page_lists_what_a_run_says_of_itself() -> None:
    assert [name for name in RunView.__struct_fields__ if f"`{name}`" not in REFERENCE] == []


@pytest.mark.parametrize(("folder", "number", "source"), SHOWN, ids=[f"{one[0]}-{one[1]}" for one in SHOWN])
def test_what_a_page_shows_is_a_file_without_an_error(tmp_path: Path, folder: str, number: int, source: str) -> None:
    (tmp_path / "shown.py").write_text(source, encoding="utf-8")
    job = Job(file="shown.py", folder=str(tmp_path), plugins=str(tmp_path / ".plugins"), defaults=Defaults())
    assert Parse(job).run().failure is None
