"""A tiny engine for the tests of replay: it turns commands to facts, and lets what is open come in any order."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from orchestrator.authoring.blue import Blue, Given, current_blue
from orchestrator.core import activations as asks
from orchestrator.core import events, values
from orchestrator.core.events import AnyEvent, Recorded
from orchestrator.core.particulars import Failure, PayloadRef
from orchestrator.core.spec import TaskSpec
from orchestrator.names import FailureKind, RunState, RunType
from orchestrator.replay import Machine

START = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
HERE = str(Path(__file__).parent)
FIRST: list[AnyEvent] = [
    events.RunCreated(
        dag_id="flow", run_id="r1", run_uid="uid-1", run_type=RunType.MANUAL, version_id=1, fingerprint="f"
    ),
    events.RunStarted(),
]
_ENDS = (asks.Return, asks.Raise, asks.Continue, asks.Block)


class Code:
    """A workflow that is a plain function of (blue, **params)."""

    def __init__(self, function: Callable[..., Any], activities: Sequence[str] = ("a", "b", "c", "d")) -> None:
        self.dag_id = "flow"
        self.file = "flow.py"
        self.line = 1
        self.activities: Mapping[str, TaskSpec] = {name: TaskSpec(task_id=name) for name in activities}
        self.function = function
        self.given: Given | None = None

    def begin(self, given: Given) -> Any:
        self.given = given
        return self.function(current_blue(), *given.args, **{**(given.params or {}), **given.kwargs})


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(values.encode(value))


class Payloads:
    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def load(self, ref: PayloadRef) -> bytes:
        return self.kept[ref.sha256]

    def store(self, data: bytes) -> PayloadRef:
        ref = PayloadRef(sha256=str(len(self.kept)), size=len(data))
        self.kept[ref.sha256] = data
        return ref


class Engine:
    """One run, live: ``history`` grows by what the code asks for and by what the test lets happen."""

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        activities: Sequence[str] = ("a", "b", "c", "d"),
        params: dict[str, Any] | None = None,
        answer: Callable[[str, list[Any], dict[str, Any]], Any] = lambda name, args, kwargs: [name, *args],
        first: Sequence[AnyEvent] = FIRST,
    ) -> None:
        self.code = Code(function, activities)
        self.params = params or {}
        self.answer = answer
        self.payloads = Payloads()
        self.history: list[Recorded] = []
        self.open: dict[str, Callable[[], AnyEvent]] = {}
        self.counts: dict[str, int] = {}
        self.commands: list[asks.WorkflowCommand] = []
        self.advances: list[tuple[int, tuple[asks.WorkflowCommand, ...]]] = []
        self.shielded: set[str] = set()
        self.timers: dict[str, datetime] = {}
        self.now = START
        self.blocked: asks.Block | None = None
        self.ended: events.RunEnded | None = None
        self.meanwhile: Callable[[], list[AnyEvent]] = list
        self.machine = self.new_machine()
        self.happen(*first)

    def new_machine(self, function: Callable[..., Any] | None = None, version: int = 1, after: int = 0) -> Machine:
        code = self.code if function is None else Code(function, tuple(self.code.activities))
        return machine(code, self.params, self.payloads, version)

    # ── what happens ─────────────────────────────────────────────────────────────────────────────────────

    def record(self, *happened: AnyEvent) -> None:
        """Facts that the code is not told of yet."""
        for event in happened:
            self.now += timedelta(seconds=1)
            self.history.append(Recorded(len(self.history) + 1, self.now, event))

    def happen(self, *happened: AnyEvent) -> None:
        """Facts, and what the code makes of all that it has not heard yet."""
        self.record(*happened)
        self.activate()

    def activate(self) -> None:
        self.machine.tell(self.history[self.machine.told :])
        self.carry_out(self.machine.advance())

    def come(self, name: str) -> AnyEvent:
        """What comes of something that is open: ``activity#0``, ``timer-1``, a child's id."""
        return self.open.pop(name)()

    def complete(self, *names: str) -> None:
        self.happen(*(self.come(name) for name in names))

    def signal(self, name: str, payload: Any = None) -> None:
        self.happen(events.SignalReceived(name=name, payload=raw(payload)))

    def cancel(self, reason: str = "by hand") -> None:
        """As the engine does it: what is open and not shielded ends."""
        for name in [name for name in self.open if name not in self.shielded and ("#" in name or "timer" in name)]:
            del self.open[name]
        self.happen(events.RunCancelRequested(reason=reason))

    def run_all(self, random: Random | None = None) -> None:
        """Let everything come, in order or in a random one, until the run ends or nothing is open."""
        while self.open and self.ended is None and self.blocked is None:
            names = sorted(self.open) if random else list(self.open)
            many = random.randint(1, min(3, len(names))) if random else 1
            self.complete(*(random.sample(names, many) if random else names[:1]))

    def reload(self) -> None:
        """The process that ran the code is gone."""
        self.machine.close()
        self.machine = self.new_machine()
        self.machine.tell(self.history)

    # ── what the code asks for ───────────────────────────────────────────────────────────────────────────

    def carry_out(self, commands: Sequence[asks.WorkflowCommand]) -> None:
        self.commands.extend(commands)
        heard = self.machine.told
        self.advances.append((heard, tuple(commands)))
        meanwhile = [] if any(isinstance(c, _ENDS) for c in commands) else self.meanwhile()
        self.record(*meanwhile)
        for command in commands:
            event = self.fact_of(command)
            if event is not None:
                self.record(event)
        if len(self.history) > heard and isinstance(self.history[-1].event, events.RunContinued):
            self.activate()
        sent = [fact for fact in self.history[heard:] if getattr(fact.event, "sent", False)]
        if (sent or meanwhile) and self.ended is None:
            self.activate()

    def fact_of(self, command: asks.WorkflowCommand) -> AnyEvent | None:
        match command:
            case asks.Call():
                return self.requested(command)
            case asks.SetTimer(timer_id=timer_id, fire_at=fire_at):
                self.keep(timer_id, lambda: events.TimerFired(timer_id=timer_id), shielded=command.shielded)
                self.timers[timer_id] = fire_at
                return events.TimerSet(timer_id=timer_id, fire_at=fire_at, shielded=command.shielded)
            case asks.CancelTimer(timer_id=timer_id):
                was = self.open.pop(timer_id, None)
                return events.TimerCancelled(timer_id=timer_id) if was else None
            case asks.CancelCall(task_id=task_id, map_index=index):
                was = self.open.pop(f"{task_id}#{index}", None)
                return events.ActivityCancelRequested(task_id=task_id, map_index=index) if was else None
            case asks.StartChild(child_id=child_id, dag_id=dag_id):
                ended = events.ChildEnded(child_id=child_id, state=RunState.SUCCESS, result=raw(f"{dag_id} done"))
                self.keep(child_id, lambda: ended, shielded=command.shielded)
                return events.ChildStarted(child_id=child_id, dag_id=dag_id, run_id=child_id, child_run_key=7)
            case asks.CancelChild():
                return None
            case asks.SignalRun(name=name, run_id=run_id):
                why = "there is no such run" if run_id == "nobody" else None
                return events.ValueRecorded(name=name, value=raw(why), sent=True)
            case asks.AnswerUpdate(update_id=update_id, result=result, failure=failure):
                return events.UpdateAnswered(update_id=update_id, result=result, failure=failure)
            case asks.RecordValue(name=name, value=value):
                return events.ValueRecorded(name=name, value=value)
            case asks.MarkVersion(name=name, version=version):
                return events.VersionMarker(name=name, version=version)
            case asks.Return(result=result, payload=payload):
                self.ended = events.RunEnded(state=RunState.SUCCESS, result=result, payload=payload)
                return self.ended
            case asks.Raise(failure=failure):
                self.ended = events.RunEnded(state=RunState.FAILED, reason=failure.message, failure=failure)
                return self.ended
            case asks.Continue(input=given, payload=payload):
                self.open.clear()
                return events.RunContinued(input=given, payload=payload)
            case asks.Block():
                self.blocked = command
                return events.RunBlocked(kind=command.kind, message=command.message)

    def keep(self, name: str, come: Callable[[], AnyEvent], *, shielded: bool) -> None:
        self.open[name] = come
        if shielded:
            self.shielded.add(name)

    def requested(self, call: asks.Call) -> AnyEvent:
        index = self.counts.get(call.task_id, 0)
        self.counts[call.task_id] = index + 1
        given = values.decode(call.input if call.payload is None else self.payloads.load(call.payload))

        def come() -> AnyEvent:
            try:
                result = self.answer(call.task_id, given["args"], given["kwargs"])
            except Exception as error:
                failure = Failure(message=str(error), types=(type(error).__name__,), where="red.py:3")
                return events.ActivityFailed(
                    task_id=call.task_id, map_index=index, kind=FailureKind.ERROR, failure=failure
                )
            return events.ActivityCompleted(task_id=call.task_id, map_index=index, result=raw(result))

        self.keep(f"{call.task_id}#{index}", come, shielded=call.shielded)
        return events.ActivityRequested(
            task_id=call.task_id,
            map_index=index,
            digest=call.digest,
            input=call.input,
            payload=call.payload,
            shielded=call.shielded,
        )


def machine(code: Code, params: dict[str, Any], payloads: Payloads, version: int = 1) -> Machine:
    header = asks.Activation(
        run_key=1,
        dag_id="flow",
        run_id="r1",
        run_uid="uid-1",
        run_type=RunType.MANUAL,
        version_id=version,
        number=version,
        versions=((1, 1),),
        code=HERE,
        file="flow.py",
        params=params,
    )
    return Machine(header, code, payloads.load, payloads.store)


def call(blue: Blue, name: str, *args: Any, **kwargs: Any) -> Any:
    """Start an activity and wait for it."""
    return blue.call(name, args, kwargs).result()


def gather(*futures: Any) -> list[Any]:
    return [future.result() for future in futures]
