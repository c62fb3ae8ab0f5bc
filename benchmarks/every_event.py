"""``make demo-every-event``: kill every process at every single event of each order workflow, and count the charges.

The scheduler is killed from within the commit that has the event, so nothing that should follow has been done; all
other processes go with it. Then everything is started again, and the order comes to its end by itself.
"""

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console

from orchestrator.assembly.home import Home
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, Recorded
from orchestrator.core.requests import SendSignal, TriggerRun
from orchestrator.exceptions import NotFoundError, OrchestratorError
from orchestrator.testing.doom import DoomedHome

DAGS = Path(__file__).parents[1] / "dags"
FILES = ("shop.py", "order_workflow.py", "order_approval.py", "orders_of_the_day.py")
ORDER = {
    "amount": 42,
    "currency": "USD",
    "items": {"cup": 1},
    "customer": "ada@example.org",
    "shop": "shop",
    "work_seconds": 0,
}
PATIENCE = 60.0


class EveryEventError(OrchestratorError):
    """An order did not come to the end that it should have."""


class Example(msgspec.Struct, frozen=True):
    """A workflow, what it is answered while it waits and given besides, and which amounts have to move, each once."""

    name: str
    dag_id: str
    money: tuple[int, ...]
    answer: dict[str, Any] | None = None
    conf: dict[str, Any] = {}

    @property
    def state(self) -> str:
        return "success" if sum(self.money) else "failed"


EXAMPLES = (
    Example("as plain code", "order_workflow", (42,)),
    Example("as a node of a DAG", "orders_of_the_day", (42,)),
    Example("approved of", "order_approval", (42,), {"approved": True, "by": "ada"}),
    Example("refused, and undone", "order_approval", (42, -42), {"approved": False, "by": "bob"}),
    Example("answered by nobody in time", "order_approval", (42, -42), conf={"patience_seconds": 0.2}),
)


class Kill(msgspec.Struct, frozen=True):
    """What was seen of one order: killed at ``seq``, with these histories before and after the restart."""

    order: int
    seq: int
    before: list[Recorded]
    after: list[Recorded]
    state: str
    money: tuple[int, ...]

    def faults(self, example: Example) -> Iterator[str]:
        """What is not as it has to be, in sentences."""
        if self.after[: len(self.before)] != self.before:
            yield "recorded facts were lost or changed"
        if again := _handed_out_again(self.after):
            yield f"{', '.join(again)} ran again although a result was recorded"
        if self.money != example.money:
            yield f"the ledger holds {list(self.money)} and not {list(example.money)}"
        if self.state != example.state:
            yield f"the run ended {self.state} and not {example.state}"


class Till:
    """Takes orders of one example on schedulers that die at a given fact of each."""

    def __init__(self, home: DoomedHome, door: Home, example: Example) -> None:
        self._home = home
        self._door = door
        self._example = example

    def kills(self) -> Iterator[Kill]:
        """One order for each fact that such an order has, from the first to the last."""
        for seq in count(1):
            run_id = self._take(seq)
            before = self._run_into_doom(run_id, seq)
            if len(before) < seq:
                return
            self._run_to_the_end(run_id)
            run = self._door.reads.run(self._example.dag_id, run_id)
            yield Kill(seq, seq, before, self._history(run_id), run.state, self._ledger(seq))

    def _take(self, order: int) -> str:
        """Leave the request for a run, and the answer that it will wait for; its run id."""
        dag_id, run_id, whole = self._example.dag_id, f"order_{order}", {**ORDER, "order": order}
        conf = whole if dag_id == "orders_of_the_day" else {"order": whole, **self._example.conf}
        request = TriggerRun(dag_id=dag_id, run_id=run_id, run_uid=uuid.uuid4().hex, conf=_raw(conf))
        self._door.requests.submit(request, request.run_uid)
        if self._example.answer is not None:
            answer = SendSignal(dag_id=dag_id, run_id=run_id, name="approval", payload=_raw(self._example.answer))
            self._door.requests.submit(answer, uuid.uuid4().hex)
        return run_id

    def _run_into_doom(self, run_id: str, seq: int) -> list[Recorded]:
        """What is on record when the scheduler has died, or the run has ended before it had so many facts."""
        self._home.doom = (run_id, seq)
        leader = self._home.start("scheduler")
        deadline = time.monotonic() + PATIENCE
        while leader.poll() is None and not self._has_ended(run_id):
            if time.monotonic() > deadline:
                raise EveryEventError(f"{run_id} neither ended nor met its fact {seq} within {PATIENCE:g} s")
            time.sleep(0.01)
        found = self._history(run_id)
        if len(found) >= seq:
            leader.wait(timeout=PATIENCE)
        self._home.doom = None
        self._home.kill()
        return found

    def _run_to_the_end(self, run_id: str) -> None:
        self._home.start("scheduler")
        self._home.wait_for(f"{run_id} ends after the restart", lambda: self._has_ended(run_id), timeout=PATIENCE)
        self._home.kill()

    def _has_ended(self, run_id: str) -> bool:
        try:
            return self._door.reads.run(self._example.dag_id, run_id).is_ended
        except NotFoundError:
            return False

    def _history(self, run_id: str) -> list[Recorded]:
        return self._door.reads.history(self._door.reads.run(self._example.dag_id, run_id).run_key)

    def _ledger(self, order: int) -> tuple[int, ...]:
        ledger = self._home.folder / "shop" / "ledger.jsonl"
        lines = ledger.read_text(encoding="utf-8").splitlines() if ledger.exists() else []
        return tuple(entry["amount"] for entry in map(json.loads, lines) if entry["order"] == order)


def prepare(home: DoomedHome) -> None:
    """Have the examples read, so that later starts need the scheduler alone."""
    for name in FILES:
        home.write_dag(name, (DAGS / name).read_text(encoding="utf-8"))
    home.start()
    home.wait_for("the examples are listed", lambda: _listed(home) >= {name[:-3] for name in FILES[1:]})
    home.kill()


def _listed(home: DoomedHome) -> set[str]:
    done = home.run("dags", "list", "-o", "json")
    return {dag["dag_id"] for dag in msgspec.json.decode(done.stdout)} if done.returncode == 0 else set()


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _handed_out_again(facts: list[Recorded]) -> list[str]:
    """The activities that were handed out once more although their result was on record."""
    done: set[tuple[str, int]] = set()
    again = []
    for fact in facts:
        if isinstance(fact.event, ActivityCompleted):
            done.add((fact.event.task_id, fact.event.map_index))
        if isinstance(fact.event, ActivityScheduled) and (fact.event.task_id, fact.event.map_index) in done:
            again.append(fact.event.task_id)
    return again


def main() -> int:
    console = Console(highlight=False, soft_wrap=True)
    kills = 0
    try:
        for example in EXAMPLES:
            console.rule(f"ORDER {example.name}: {example.dag_id}", align="left", style="dim")
            with tempfile.TemporaryDirectory(prefix="orchestrator-demo-") as folder, DoomedHome(Path(folder)) as home:
                prepare(home)
                kills += _show(console, home, example)
    except OrchestratorError as error:
        Console(stderr=True, highlight=False, soft_wrap=True).print(f"The demo failed: {error}", style="bold red")
        return 1
    console.print(f"[bold green]{kills} kills, and every order was charged once.[/]")
    return 0


def _show(console: Console, home: DoomedHome, example: Example) -> int:
    """One line for each kill; EveryEventError at the first that shows a fault. How many there were."""
    seq = 0
    with home.open() as door:
        for kill in Till(home, door, example).kills():
            if faults := list(kill.faults(example)):
                raise EveryEventError(f"killed at fact {kill.seq} of {example.dag_id}: {'; '.join(faults)}")
            seq = kill.seq
            event = type(kill.before[seq - 1].event).__name__
            amounts = ", ".join(f"{amount:+d}" for amount in kill.money)
            console.print(f"{seq:>4}  killed at {event:<24} then {kill.state}, ledger {amounts}")
    return seq


if __name__ == "__main__":
    sys.exit(main())
