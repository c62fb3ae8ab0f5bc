"""A workflow of every shape whose bodies leave evidence of each time they ran; and what has to hold of it."""

from collections import Counter
from pathlib import Path

import msgspec

from orchestrator.core import values
from orchestrator.core.events import (
    ActivityCompleted,
    ActivityRequested,
    Recorded,
    RunBlocked,
    RunEnded,
    SignalReceived,
    TimerFired,
    TimerSet,
)

DAG_ID = "gale"
SIGNALS = ("one", "two", "three")

SOURCE = """
import os
import time
from dataclasses import dataclass

from orchestrator import DAG, activity, gather, get_current_context, start_activity, task, workflow
from orchestrator.exceptions import ActivityError
from orchestrator.workflow import (
    AGAIN, Signal, continue_as_new, patched, run_child, saga, side_effect, sleep, start_child, uuid4,
)

word = Signal("word", str)


def leave(what):
    context = get_current_context()
    line = f"{context['run_id']} {what} {context['idempotency_key']} {context['ti'].try_number}\\n"
    file = os.open(EVIDENCE, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, line.encode())
    os.close(file)
    time.sleep(0.03)


@activity
def step(what: str) -> str:
    leave(what)
    return what


@activity(retries=2, retry_delay=0.05)
def unsteady(what: str) -> str:
    leave(what)
    if get_current_context()["ti"].try_number == 1:
        raise RuntimeError("not yet")
    return what


@activity(retries=0)
def broken(what: str) -> str:
    leave(what)
    raise ValueError(what)


@activity(delivery="at_most_once")
def once(what: str) -> str:
    leave(what)
    return what


@activity(delivery="transactional", connection="effects")
def pay(what: str) -> str:
    leave(what)
    context = get_current_context()
    context["connection"].exec_driver_sql(
        "insert into effects values (?, ?, ?)", (context["run_id"], what, context["idempotency_key"])
    )
    return what


@activity
def large(what: str) -> str:
    leave(what)
    return what * 100_000


@workflow
def rounds(number: int = 0) -> int:
    step(f"round {number}")
    if number < 3:
        continue_as_new(number + 1)
    return number


@dataclass
class Counting:
    number: int = 0


@workflow(state=Counting)
def counting(state: Counting) -> object:
    state.number += 1
    step(f"count {state.number}")
    return state.number if state.number == 4 else AGAIN


@workflow
async def fan(width: int = 3) -> int:
    found = [await one for one in [start_activity(unsteady, f"fan {number}") for number in range(width)]]
    return len(found)


with DAG("plain", schedule=None):
    @task
    def leaf():
        return "leaf"

    leaf()


@workflow
def gale() -> list:
    found = [step("first"), pay("charge")]
    try:
        broken("broken")
    except ActivityError:
        found.append(step("mended"))
    beside = start_child(fan, 3)
    try:
        with saga() as undo:
            step("reserve")
            undo.add(step, "release")
            pay("debit")
            undo.add(pay, "credit")
            broken("ship")
    except ActivityError:
        found.append("undone")
    sleep(0.2)
    found.append([word.wait() for _ in range(3)])
    assert len(side_effect("pid", lambda: str(os.getpid()))) > 0
    assert patched("new")
    found.append([run_child(rounds), run_child("counting"), beside.result()])
    run_child("plain")
    found.append(len(str(uuid4())) + len(large("x")))
    gather(*(start_activity(step, f"{number}") for number in range(5)))
    found.append(once("mail"))
    return found
"""

RESULT = ["first", "charge", "mended", "undone", list(SIGNALS), [3, 4, 3], 100_036, "mail"]
COMPENSATIONS = ("release", "credit")


class Trace(msgspec.Struct, frozen=True):
    """One time that a body ran."""

    run_id: str
    what: str
    key: str
    attempt: int


def traces(path: Path) -> list[Trace]:
    found = []
    for line in path.read_text().splitlines() if path.exists() else ():
        run_id, *what, key, attempt = line.split(" ")
        found.append(Trace(run_id, " ".join(what), key, int(attempt)))
    return found


def judge(history: list[Recorded], ran: list[Trace], effects: list[tuple[str, str]]) -> list[str]:
    """Sentences about what does not hold in one run of the gale; ``effects`` are (what, key) of its transactions."""
    events = [fact.event for fact in history]
    faults = [f"it was blocked: {event.message}" for event in events if isinstance(event, RunBlocked)]
    end = events[-1] if isinstance(events[-1], RunEnded) else None
    if end is None or values.decode(end.result) != RESULT:
        faults.append(f"it ended with {events[-1]}")
    done = Counter((event.task_id, event.map_index) for event in events if isinstance(event, ActivityCompleted))
    faults += [f"{place} was completed {count} times" for place, count in done.items() if count > 1]
    due = {event.timer_id: event.fire_at for event in events if isinstance(event, TimerSet)}
    fired = [(fact.at, fact.event.timer_id) for fact in history if isinstance(fact.event, TimerFired)]
    faults += [f"{name} fired at {at}" for at, name in fired if at < due[name]]
    calls = sum(isinstance(event, ActivityRequested) for event in events)
    keys = {one.what: {other.key for other in ran if other.what == one.what} for one in ran}
    faults += [f"{what} ran under {len(of)} keys" for what, of in keys.items() if len(of) != 1]
    every = [key for of in keys.values() for key in of]
    faults += ["two calls have one key"] if len(set(every)) != len(every) else []
    faults += [f"{calls} calls, {len(keys)} of which ran"] if calls != len(keys) else []
    faults += [f"mail ran {n} times"] if (n := sum(one.what == "mail" for one in ran)) > 1 else []
    paid = sorted(what for what, _ in effects)
    faults += [f"its effects are {paid}"] if paid != ["charge", "credit", "debit"] else []
    order = [one.what for one in ran if one.what in COMPENSATIONS]
    if list(dict.fromkeys(order)) != ["credit", "release"] or ("release" in order and "credit" not in order):
        faults.append(f"it was undone in the order {order}")
    signals = [values.decode(event.payload) for event in events if isinstance(event, SignalReceived)]
    faults += [f"it was sent {signals}"] if signals != list(SIGNALS) else []
    return faults
