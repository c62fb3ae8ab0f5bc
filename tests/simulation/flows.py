"""Workflows of every shape, as an author would write them, with activities that a simulation calls."""

from datetime import timedelta
from typing import Any

from orchestrator import activity, gather, schedule_activity, start_activity, workflow
from orchestrator.exceptions import ActivityError, AirflowFailException, ChildError
from orchestrator.workflow import (
    Signal,
    continue_as_new,
    patched,
    run_child,
    saga,
    side_effect,
    signal_run,
    sleep,
    start,
    start_child,
    timer,
    wait_any,
)

approval = Signal("approval", str)
word = Signal("word", str)


@activity
def add(total: int, number: int) -> int:
    return total + number


@activity
def square(number: int) -> int:
    return number * number


@activity(retries=3, retry_delay=timedelta(seconds=10))
def unsteady(name: str) -> str:
    """The simulation lets its first two attempts fail."""
    return name


@activity
def refused() -> None:
    raise AirflowFailException("no")


@activity
def step(name: str) -> str:
    return name


@activity(delivery="at_most_once")
def refund(what: str) -> str:
    return what


@activity
def pay(what: str) -> str:
    return what


@workflow
def sequential(length: int = 4) -> int:
    total = 0
    for number in range(length):
        total = schedule_activity(add, total, number)
    return total


@workflow
async def fan_out(width: int = 5) -> int:
    squares = await gathered([start_activity(square, number) for number in range(width)])
    return await start_activity(add, sum(squares), 1)


async def gathered(futures: list[Any]) -> list[Any]:
    return [await future for future in futures]


@workflow
def stubborn() -> list[str]:
    first = unsteady("first")
    try:
        refused()
    except ActivityError as error:
        return [first, step(f"instead of {error.activity_id}")]
    return []


@workflow
def patient() -> list[str]:
    sleep(timedelta(days=3))
    first = step("after three days")
    slow = start_activity(step, "slow")
    (come,) = wait_any(timer(timedelta(hours=1)), slow)
    return [first, come.result(), side_effect("answer", lambda: "42"), str(patched("newer"))]


@workflow
def asks_leave() -> list[str]:
    step("ask")
    try:
        given = approval.wait(timeout=timedelta(days=1))
    except TimeoutError:
        given = "nobody answered"
    return [given, step("end")]


@workflow
def talkative() -> str:
    signal_run("listener", "listens", "word", "hello")
    return step("said")


@workflow
def listener() -> str:
    return step(word.wait() or "")


@workflow
def family() -> list[Any]:
    beside = start_child(fan_out, 3)
    inside = run_child(sequential, 3)
    try:
        run_child("nowhere")
    except ChildError as error:
        return [inside, beside.result(), error.dag_id]
    return []


@workflow
def rounds(number: int = 0) -> int:
    found: int = add(number, 1)
    if found < 4:
        continue_as_new(found)
    return found


@workflow
def collector(said: list[str] | None = None) -> list[str]:
    """Takes signals one by one, beginning anew after each, and counts the updates of this round."""
    found = [*(said or [])]

    @workflow.update
    def shout(what: str) -> str:
        found.append(what.upper())
        return what.upper()

    if len(found) < 4:
        wait_any(timer(3600), start(heed, found))
        continue_as_new(found)
    return found


def heed(found: list[str]) -> None:
    found.append(word.wait())


@workflow
def endless() -> int:
    """Starts itself as a child for ever; how deep it came."""
    try:
        found: int = run_child("endless")
    except ChildError:
        return 1
    return found + 1


@workflow
def order() -> str:
    with saga() as undo:
        step("charge")
        undo.add(step, "refund")
        gather(start_activity(step, "reserve"), start_activity(square, 2))
        undo.add(step, "release")
        sleep(60)
        step("ship")
    return "shipped"


@workflow
def twins() -> list[str]:
    """Starts two children in one go, by the same name."""
    both = [start_child(sequential, 2, run_id="same") for _ in range(2)]
    return [type(one.exception()).__name__ for one in both]


@workflow
def relay(left: int = 3) -> int:
    """Hands over to a run of its own kind, which it does not wait for, and lingers."""
    if left:
        start_child("relay", {"left": left - 1}, parent_close="abandon")
    sleep(60)
    return left


@workflow
def hasty() -> list[str]:
    """Asks in one go for what there is not, and for what there is."""
    nobody, somebody = start_child("nowhere"), start_activity(step, "here")
    return [type(nobody.exception()).__name__, somebody.result()]


@workflow
def undone() -> None:
    """Fails, and takes two steps back."""
    with saga() as undo:
        step("charge")
        undo.add(step, "refund")
        undo.add(step, "release")
        refused()
