"""What mypy --strict makes of an author's file: nothing where it is right, and the line where it is wrong."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from orchestrator import workflow
from orchestrator.workflow import WorkflowModule

ROOT = Path(__file__).parents[2]

SOURCE = """
from datetime import timedelta

import orchestrator.workflow
from orchestrator import DAG, activity, gather, schedule_activity, start_activity, workflow
from orchestrator.workflow import Future, Signal, run_child, saga, sleep, start, start_child

approved = Signal("approved", bool)
listed = Signal("listed", list[str], doc="which")
either = Signal("either", int | str)


@activity
def charge(order: str, amount: float) -> str:
    return order


@activity(retries=3, retry_delay=timedelta(seconds=2))
async def ship(order: str) -> int:
    return len(order)


@workflow
def small(number: int) -> bytes:
    return bytes(number)


@workflow(tags=["x"], on_new_version="move")
async def late(number: int) -> bytes:
    count: int = await ship("o1")
    return await start_child(small, count)


@workflow
class Order:
    def __init__(self) -> None:
        self.amount = 1.0

    def run(self, order: str) -> str:
        return order

    @workflow.query
    def state(self) -> float:
        return self.amount

    @workflow.signal(name="ok")
    def approve(self, by: str) -> None:
        self.amount += len(by)

    @workflow.update
    def change(self, amount: float) -> float:
        return amount

    @change.validator
    def check(self, amount: float) -> None:
        if amount < 0:
            raise ValueError


@workflow
def order(order_id: str, amount: float = 3.0) -> list[str]:
    workflow.sleep(5)
    orchestrator.workflow.sleep(timedelta(days=2))
    sleep(3)
    with saga() as undo:
        undo.add(charge, order_id, amount)
    one: str = schedule_activity(charge, order_id, amount)
    two: Future[str] = start_activity(charge, order_id, amount=amount)
    three: int = schedule_activity(ship, order_id)
    names: list[str] | None = listed.take()
    which = either.wait()
    four: bytes = run_child(small, 3, run_id="mine")
    five: Future[bytes] = start(late_function, 3)
    six: Future[bytes] = start(late, 3)
    seven: Future[str] = start(charge, order_id, 3)
    if approved.wait(timeout=3):
        return [one, *gather(two), str(three), str(four), str(names), str(which), str(five), str(six), str(seven)]
    return workflow.gather(two)


async def late_function(number: int) -> bytes:
    return bytes(number)


def wrong() -> None:
    schedule_activity(charge, 3, 4)  # wrong
    start_activity(charge, "o1")  # wrong
    charge("o1", "much")  # wrong
    workflow.sleep("long")  # wrong
    small("x")  # wrong
    start_child(small, "x")  # wrong
    number: int = schedule_activity(charge, "o1", 3)  # wrong
    text: str = approved.wait()  # wrong
    print(number, text)


with DAG("daily"):
    small(3)
"""


def test_a_type_checker_finds_an_authors_mistake_and_nothing_else(tmp_path: Path) -> None:
    file = tmp_path / "flows.py"
    file.write_text(SOURCE, encoding="utf-8")
    command = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--hide-error-context", str(file)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    lines = {int(line) for line in re.findall(r"flows\.py:(\d+): error", found.stdout)}
    expected = {number for number, line in enumerate(SOURCE.splitlines(), 1) if line.endswith("# wrong")}
    assert lines == expected, found.stdout + found.stderr


def test_the_module_and_the_decorator_are_one_thing_however_they_are_imported() -> None:
    script = """
import orchestrator.workflow
from orchestrator import workflow
from orchestrator.workflow import sleep
import sys
assert workflow is orchestrator.workflow is sys.modules["orchestrator.workflow"] is orchestrator.workflow.workflow
assert workflow.sleep is sleep
assert callable(workflow)
"""
    for first in ("", "from orchestrator import workflow\n", "from orchestrator.workflow import sleep\n"):
        subprocess.run([sys.executable, "-c", first + script], cwd=ROOT, check=True)


def test_type_checkers_see_the_names_that_the_module_has() -> None:
    source = Path(str(workflow.__file__)).read_text(encoding="utf-8")
    seen = set(re.findall(r"^            self\.(\w+) = \1$", source, re.MULTILINE))
    assert seen == set(workflow.__all__) - {"workflow"}
    assert isinstance(workflow, WorkflowModule)


@pytest.mark.parametrize("name", workflow.__all__)
def test_each_name_of_the_module_is_there(name: str) -> None:
    assert getattr(workflow, name) is not None
