"""A crash at every single fact of each order example: the scheduler is killed right after the commit that has it, and
all other processes with it. Whatever was recorded is handed back, and the card is charged once.
"""

import json
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.assembly.home import Home
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, Recorded
from orchestrator.core.requests import SendSignal, TriggerRun
from orchestrator.exceptions import NotFoundError
from orchestrator.testing.doom import DoomedHome

DAGS = Path(__file__).parents[2] / "dags"
FILES = ("shop.py", "order_workflow.py", "order_approval.py", "orders_of_the_day.py")
ORDER = {
    "amount": 42,
    "currency": "USD",
    "items": {"cup": 1},
    "customer": "ada@example.org",
    "shop": "shop",
    "work_seconds": 0,
}
APPROVED, REFUSED = {"approved": True, "by": "ada"}, {"approved": False, "by": "bob"}
CHARGED, UNDONE = [42], [42, -42]


@pytest.fixture
def home(tmp_path: Path) -> Iterator[DoomedHome]:
    """The order examples, listed, and nothing running."""
    with DoomedHome(tmp_path) as home:
        for name in FILES:
            home.write_dag(name, (DAGS / name).read_text(encoding="utf-8"))
        home.start()
        home.wait_for("the examples are listed", lambda: listed(home) >= {name[:-3] for name in FILES[1:]})
        home.kill()
        yield home


def listed(home: DoomedHome) -> set[str]:
    done = home.run("dags", "list", "-o", "json")
    return {dag["dag_id"] for dag in msgspec.json.decode(done.stdout)} if done.returncode == 0 else set()


class Till:
    """Takes orders on a scheduler that dies at a given fact of each."""

    def __init__(self, home: DoomedHome, door: Home, dag_id: str, answer: dict[str, Any] | None) -> None:
        self.home = home
        self.door = door
        self.dag_id = dag_id
        self.answer = answer

    def take(self, order: int) -> str:
        """Leave the request for a run, and the answer that it will wait for; its run id."""
        run_id, whole = f"order_{order}", {**ORDER, "order": order}
        conf = whole if self.dag_id == "orders_of_the_day" else {"order": whole}
        request = TriggerRun(dag_id=self.dag_id, run_id=run_id, run_uid=uuid.uuid4().hex, conf=encoded(conf))
        self.door.requests.submit(request, request.run_uid)
        if self.answer is not None:
            signal = SendSignal(dag_id=self.dag_id, run_id=run_id, name="approval", payload=encoded(self.answer))
            self.door.requests.submit(signal, uuid.uuid4().hex)
        return run_id

    def run_into_doom(self, run_id: str, seq: int) -> bool:
        """Whether the scheduler died; False if the run came to its end before it had so many facts."""
        self.home.doom = (run_id, seq)
        leader = self.home.start("scheduler")
        while leader.poll() is None and not self.has_ended(run_id):
            try:
                self.home.wait_for("the scheduler dies, or the run ends", lambda: self.has_ended(run_id), timeout=30)
            except AssertionError:
                assert leader.poll() is not None, "neither happened"
        died = len(self.history(run_id)) >= seq
        if died:
            leader.wait(timeout=30)
        self.home.doom = None
        self.home.kill()
        return died

    def run_to_the_end(self, run_id: str) -> None:
        self.home.start("scheduler")
        self.home.wait_for("the run ends after the restart", lambda: self.has_ended(run_id))
        self.home.kill()

    def has_ended(self, run_id: str) -> bool:
        try:
            return self.door.reads.run(self.dag_id, run_id).is_ended
        except NotFoundError:
            return False

    def history(self, run_id: str) -> list[Recorded]:
        return self.door.reads.history(self.door.reads.run(self.dag_id, run_id).run_key)


def encoded(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def entries(home: DoomedHome, book: str, order: int) -> list[dict[str, Any]]:
    path = home.folder / "shop" / book
    found = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []
    return [line for line in found if line["order"] == order]


def started_again_after_its_result(facts: list[Recorded]) -> list[str]:
    """The activities that were handed out once more although their result was on record."""
    done: set[tuple[str, int]] = set()
    again = []
    for fact in facts:
        if isinstance(fact.event, ActivityCompleted):
            done.add((fact.event.task_id, fact.event.map_index))
        if isinstance(fact.event, ActivityScheduled) and (fact.event.task_id, fact.event.map_index) in done:
            again.append(fact.event.task_id)
    return again


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    ("dag_id", "answer", "money", "least"),
    [
        ("order_workflow", None, CHARGED, 19),
        ("orders_of_the_day", None, CHARGED, 14),
        ("order_approval", APPROVED, CHARGED, 20),
        ("order_approval", REFUSED, UNDONE, 20),
    ],
)
def test_wherever_everything_is_killed_the_card_is_charged_once(
    home: DoomedHome, dag_id: str, answer: dict[str, Any] | None, money: list[int], least: int
) -> None:
    with home.open() as door:
        till = Till(home, door, dag_id, answer)
        for seq in count(1):
            run_id = till.take(seq)
            if not till.run_into_doom(run_id, seq):
                break
            before = till.history(run_id)
            assert len(before) >= seq
            till.run_to_the_end(run_id)
            after = till.history(run_id)
            assert after[: len(before)] == before
            assert started_again_after_its_result(after) == []
            assert [line["amount"] for line in entries(home, "ledger.jsonl", seq)] == money
            assert door.reads.run(dag_id, run_id).state == ("success" if money == CHARGED else "failed")
    assert seq > least, "the order has been killed at fewer facts than its run has"
