"""Stories: random workflows that use every word there is, and the spec that a simulation schedules them by."""

import random
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import msgspec

from orchestrator.authoring.blue import Given
from orchestrator.core.spec import DagSpec, TaskSpec
from orchestrator.exceptions import ActivityError, ChildError, WorkflowCancelled
from orchestrator.names import Delivery
from orchestrator.workflow import (
    Signal,
    continue_as_new,
    gather,
    now,
    patched,
    run_child,
    saga,
    schedule_activity,
    set_signal,
    set_update,
    shield,
    side_effect,
    signal_run,
    sleep,
    start,
    start_activity,
    start_child,
    timer,
    uuid4,
    wait_any,
    wait_condition,
)
from orchestrator.workflow import random as chance
from tests.simulation.blue_world import SPECS, flows

SINK = "sink"
SINK_TAKES = 7
LEAVES = (
    *("call", "call", "call", "unsteady", "fail", "once", "pay", "timer", "timer", "signal", "until", "value"),
    *("chance", "child", "abandon", "fixed", "nowhere", "drop", "giveup", "say", "changes", "storm"),
)
BRANCHES = ("seq", "seq", "gather", "any", "caught", "shield", "saga", "cleanup")
word = Signal("word", str)


class Step(NamedTuple):
    """One step; ``number`` tells it from all others, ``name`` is the DAG that it concerns, if any."""

    kind: str
    number: int
    name: str = ""
    parts: tuple["Step", ...] = ()


def spec_of(dag_id: str) -> DagSpec:
    """Of every story the same: all activities of the simulation's flows."""
    found = SPECS["sequential"]
    tasks = tuple(_paying(task) for task in found.tasks)
    return msgspec.structs.replace(found, dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks, signals=(), updates=())


def _paying(task: TaskSpec) -> TaskSpec:
    return msgspec.structs.replace(task, delivery=Delivery.TRANSACTIONAL) if task.task_id == "pay" else task


def graph(dag_id: str) -> DagSpec:
    """A static DAG in which a task waits for a run."""
    tasks = (
        TaskSpec(task_id="before"),
        TaskSpec(task_id="waits", upstream=("before",)),
        TaskSpec(task_id="after", upstream=("waits",), trigger_rule="all_done"),
    )
    return DagSpec(dag_id=dag_id, file=f"{dag_id}.py", tasks=tasks)


def random_story(dice: random.Random, dag_id: str, others: list[str], size: int) -> "Story":
    numbers = iter(range(1, 10_000))

    def step(depth: int) -> Step:
        number = next(numbers)
        if depth == 0 or dice.random() < 0.3:
            kind = dice.choice(LEAVES)
            return Step(kind, number, dice.choice(others) if others else "nowhere")
        kind = dice.choice(BRANCHES)
        return Step(kind, number, "", tuple(step(depth - 1) for _ in range(dice.randint(1, 3))))

    steps = tuple(step(dice.randint(0, 2)) for _ in range(dice.randint(1, max(size, 1))))
    return Story(dag_id, Step("seq", 0, "", steps), rounds=dice.choice((1, 1, 1, 3)), is_async=dice.random() < 0.3)


class Story:
    """A Definition: its code is made of steps, begun anew ``rounds`` times."""

    def __init__(self, dag_id: str, program: Step, *, rounds: int, is_async: bool) -> None:
        self.dag_id = dag_id
        self.file = f"{dag_id}.py"
        self.line = 1
        self.activities: Mapping[str, TaskSpec] = {task.task_id: task for task in spec_of(dag_id).tasks}
        self.program = program
        self.rounds = rounds
        self.is_async = is_async
        self._luck = random.Random(dag_id)  # no two side effects give the same, in the same order in each world

    def patched(self, number: int, dice: random.Random) -> "Story":
        """The same with one more step somewhere at its top, which runs as far as may be take."""
        parts = list(self.program.parts)
        parts.insert(dice.randint(0, len(parts)), Step("patch", 10_000 + number))
        program = self.program._replace(parts=tuple(parts))
        return Story(self.dag_id, program, rounds=self.rounds, is_async=self.is_async)

    def begin(self, given: Given) -> Any:
        turn, taken = given.args or (1, [])
        if self.dag_id == SINK:
            return self._sink(taken)
        return self._later(turn) if self.is_async else self._tell(turn)

    async def _later(self, turn: int) -> Any:
        return self._tell(turn)

    def _tell(self, turn: int) -> Any:
        heard: list[Any] = []
        set_signal("nudge", lambda what=None: heard.append(flows.step(f"nudged by {what}")))
        set_update("change", lambda what: self._change(heard, what), validator=_no_worse)
        found = [self._play(part) for part in self.program.parts]
        if turn < self.rounds:
            continue_as_new(turn + 1, [])
        return [found, len(heard)]

    def _change(self, heard: list[Any], what: str) -> Any:
        heard.append(what)
        if what == "bad":
            raise ValueError("that is bad")
        return flows.step(f"changed to {what}")

    def _sink(self, taken: list[str]) -> Any:
        """Take signals one after the other, beginning anew after some."""
        for number in range(min(3, SINK_TAKES - len(taken))):
            said = word.wait()
            taken = [*taken, said]
            if number == 1:
                flows.step(f"took {said}")
        if len(taken) < SINK_TAKES:
            continue_as_new(0, taken)
        return taken

    def _play(self, step: Step) -> Any:
        return getattr(self, f"_{step.kind}")(step)

    # ── branches ─────────────────────────────────────────────────────────────────────────────────────────

    def _seq(self, step: Step) -> Any:
        return [self._play(part) for part in step.parts]

    def _beside(self, step: Step) -> Iterator[Any]:
        for part in step.parts:
            yield start(self._play, part)

    def _gather(self, step: Step) -> Any:
        return gather(*self._beside(step))

    def _any(self, step: Step) -> Any:
        return len(wait_any(*self._beside(step)))

    def _caught(self, step: Step) -> Any:
        try:
            return [*self._seq(step), flows.refused()]
        except ActivityError as error:
            return error.activity_id

    def _shield(self, step: Step) -> Any:
        with shield():
            return self._seq(step)

    def _saga(self, step: Step) -> Any:
        try:
            with saga() as undo:
                for part in step.parts:
                    self._play(part)
                    undo.add(flows.step, f"undo {part.number}")
                    undo.add(flows.refund, f"refund {part.number}")
                if step.number % 2:
                    flows.refused()
        except ActivityError:
            return "undone"
        return "done"

    def _cleanup(self, step: Step) -> Any:
        try:
            return self._seq(step)
        except WorkflowCancelled:
            flows.step(f"clean up {step.number}")
            sleep(1)
            run_child("nowhere") if step.number % 5 == 0 else flows.refund(f"give back {step.number}")
            raise

    # ── leaves ───────────────────────────────────────────────────────────────────────────────────────────

    def _call(self, step: Step) -> Any:
        return schedule_activity(flows.step, str(step.number))

    def _unsteady(self, step: Step) -> Any:
        return flows.unsteady(str(step.number))

    def _fail(self, step: Step) -> Any:
        try:
            return flows.refused()
        except ActivityError as error:
            return str(error.activity_id) + str(step.number)

    def _once(self, step: Step) -> Any:
        try:
            return flows.refund(str(step.number))
        except ActivityError:
            return "never"

    def _pay(self, step: Step) -> Any:
        return flows.pay(str(step.number))

    def _timer(self, step: Step) -> Any:
        before = now()
        sleep(step.number % 7)
        assert now() >= before + timedelta(seconds=step.number % 7)
        return step.number

    def _signal(self, step: Step) -> Any:
        try:
            return word.wait(timeout=timedelta(seconds=step.number * 5))
        except TimeoutError:
            return "silence"

    def _until(self, step: Step) -> Any:
        return wait_condition(lambda: bool(word.received), timeout=timedelta(seconds=step.number))

    def _value(self, step: Step) -> Any:
        return side_effect(f"value {step.number % 3}", self._luck.random)

    def _chance(self, step: Step) -> Any:
        return [chance().random(), str(uuid4()), flows.step(f"{step.number} {chance().randrange(100)}")]

    def _child(self, step: Step) -> Any:
        try:
            return run_child(step.name)
        except ChildError as error:
            return error.dag_id

    def _abandon(self, step: Step) -> Any:
        start_child(step.name, parent_close="abandon")
        return step.number

    def _fixed(self, step: Step) -> Any:
        child = start_child(step.name, run_id=f"fixed_{step.number % 2}")
        return type(child.exception()).__name__

    def _nowhere(self, step: Step) -> Any:
        return type(start_child("nowhere", {"number": step.number}).exception()).__name__

    def _drop(self, step: Step) -> Any:
        child, beside = start_child(step.name), start(flows.step, f"beside {step.number}")
        wait_any(child, beside, timer(step.number % 4))
        child.cancel()
        beside.cancel()
        return child.exception() is None

    def _giveup(self, step: Step) -> Any:
        call, alarm = start_activity(flows.step, f"slow {step.number}"), timer(2)
        wait_any(call, alarm)
        call.cancel()
        alarm.cancel()
        return call.exception() is None

    def _say(self, step: Step) -> Any:
        return type(_caught(lambda: signal_run(step.name, "first", "word", str(step.number)))).__name__

    def _changes(self, step: Step) -> Any:
        return wait_condition(lambda: False, timeout=timedelta(seconds=step.number % 9))

    def _storm(self, step: Step) -> Any:
        return gather(*(start_activity(flows.step, f"{step.number}/{n}") for n in range(12)))

    def _patch(self, step: Step) -> Any:
        return flows.step(f"new {step.number}") if patched(f"change {step.number}") else None


def _caught(function: Any) -> Any:
    try:
        return function()
    except Exception as error:
        return error


def _no_worse(what: str) -> None:
    if what == "worse":
        raise ValueError("not worse")
