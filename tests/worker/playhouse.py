"""A file of workflows for every occasion, and a prompter that plays the engine's part to a replayer."""

import select
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import msgspec

from orchestrator.clock import SystemClock
from orchestrator.core.activations import Activation, Advance, Block, Call, FactsWanted, ReplayLost, WorkflowCommand
from orchestrator.core.events import ActivityCompleted, ActivityRequested, AnyEvent, Recorded, RunCreated, RunStarted
from orchestrator.executors.inline_replayer import InlineReplayer
from orchestrator.executors.replayer import LocalReplayer
from orchestrator.names import DagKind, RunType
from orchestrator.ports import Replayer
from orchestrator.worker.blue.settings import BlueSettings

MORNING = datetime(2026, 1, 31, 6, 30, tzinfo=UTC)
PATIENCE = 40.0

SOURCE = """
import os
import signal
import socket
import time

import play_words
from orchestrator import activity, schedule_activity, workflow


@activity
def echo(value):
    return value


@workflow
def rounds(n: int = 3):
    total = 0
    for number in range(n):
        print("round", number)
        total += schedule_activity(echo, number)
    return total


@workflow
def greets():
    schedule_activity(echo, 0)
    import play_late

    return [play_words.GREETING, play_late.NAME]


@workflow
def asks():
    seen = []

    @workflow.query
    def seen_so_far(first: int = 0):
        return seen[first:]

    @workflow.query
    def broken():
        raise ValueError("no idea")

    @workflow.query
    def endless():
        while True:
            pass

    for number in range(3):
        seen.append(schedule_activity(echo, number))
    return seen


@workflow
def waits():
    return schedule_activity(echo, 1)


@workflow
def loops_for_ever():
    schedule_activity(echo, 0)
    while True:
        pass


@workflow
def shrugs_it_off():
    while True:
        try:
            while True:
                pass
        except BaseException:
            pass


@workflow
def sums_for_ever():
    sum(range(10**13))


@workflow
def takes_its_time(rounds: int = 4, seconds: float = 0.3):
    for number in range(rounds):
        end = time.perf_counter() + seconds  # effect: ok
        while time.perf_counter() < end:  # effect: ok
            pass
        schedule_activity(echo, number)
    return "done"


@workflow
def kills_itself():
    schedule_activity(echo, 0)
    os.kill(os.getpid(), signal.SIGKILL)


@workflow
def connects():
    socket.create_connection(("127.0.0.1", 9), timeout=1)


@workflow
def swallows():
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except Exception:
        pass
    return "as if nothing had happened"


@workflow
def reads_a_setting():
    return workflow.side_effect("home", lambda: os.environ["HOME"])


@workflow
def large(size: int = 100_000):
    return schedule_activity(echo, "x" * size)


@workflow
def makes_do():
    schedule_activity(echo, 0)
    try:
        return len(schedule_activity(echo, 1))
    except Exception:
        return "nothing"


@workflow
def grows(megabytes: int = 200):
    bytearray(os.urandom(1024) * 1024 * megabytes)  # effect: ok
    schedule_activity(echo, 0)
    return "grown"


@workflow
def walks_through_a_set():
    for name in {f"name {number}" for number in range(100)}:
        schedule_activity(echo, name)
    return "done"


@workflow
def begins_anew(first: int = 0):
    schedule_activity(echo, first)
    if not first:
        workflow.continue_as_new(first=1)
    return first


@workflow
def fails():
    raise ValueError("the shelf is empty")
"""


class Playhouse:
    """A version's snapshot in ``folder``."""

    _keys = count(1)

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.code = folder / "code"
        self.logs = folder / "logs"
        self.write("play.py", SOURCE)
        self.write("play_words.py", "GREETING = 'good morning'\n")
        self.write("play_late.py", "NAME = 'late'\n")

    def write(self, file: str, source: str, *, code: Path | None = None) -> None:
        path = (code or self.code) / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")

    def line(self, text: str) -> int:
        """The number of the line of play.py that is, or contains, that text."""
        lines = (self.code / "play.py").read_text().splitlines()
        return 1 + next(number for number, line in enumerate(lines) if text in line)

    def settings(self, **given: Any) -> BlueSettings:
        standard = {"log_folder": str(self.logs), "payloads": str(self.folder / "payloads"), "deadlock_timeout": 0.6}
        return BlueSettings(**{**standard, **given})

    def run(self, dag_id: str, *, code: Path | None = None, file: str = "play.py", **params: Any) -> "Performance":
        """A run of that workflow of which nothing has been told yet."""
        return Performance(next(self._keys), dag_id, str(code or self.code), file, params)

    def log(self, performance: "Performance") -> str:
        path = self.logs / f"{performance.run_key}" / "0.log"
        return path.read_text() if path.exists() else ""


def make_replayer(kind: str, house: Playhouse, **settings: Any) -> Replayer:
    """A replayer of that kind, not started."""
    if kind == "inline":
        return InlineReplayer(house.settings(**settings), SystemClock())
    return LocalReplayer(house.settings(**settings), SystemClock())


class Performance:
    """A run, and its history as the engine would have recorded it."""

    def __init__(self, run_key: int, dag_id: str, code: str, file: str, params: dict[str, Any]) -> None:
        self.run_key = run_key
        self.dag_id = dag_id
        self.code = code
        self.file = file
        self.params = params
        self.version_id = 1
        self.history: list[Recorded] = []
        self.told = 0
        self.asked_until = 0
        self.calls: dict[str, int] = {}
        self.record(
            RunCreated(
                dag_id=dag_id,
                run_id="1",
                run_uid=f"uid-{run_key}",
                run_type=RunType.MANUAL,
                version_id=1,
                fingerprint="f",
                kind=DagKind.WORKFLOW,
            ),
            RunStarted(),
        )

    def record(self, *events: AnyEvent) -> None:
        for event in events:
            seq = len(self.history) + 1
            self.history.append(Recorded(seq, MORNING + timedelta(seconds=seq), event))

    def take(self, commands: tuple[WorkflowCommand, ...]) -> None:
        """Record what the code asked for, and that its calls gave back their first argument."""
        for command in commands:
            if isinstance(command, Call):
                index = self.calls[command.task_id] = self.calls.get(command.task_id, -1) + 1
                self.record(
                    ActivityRequested(
                        task_id=command.task_id,
                        map_index=index,
                        digest=command.digest,
                        input=command.input,
                        payload=command.payload,
                    )
                )
                self.asked_until = len(self.history)
                result = msgspec.json.decode(command.input)["args"][0] if command.payload is None else None
                raw = msgspec.Raw(msgspec.json.encode(result))
                self.record(ActivityCompleted(task_id=command.task_id, map_index=index, result=raw))

    def activation(self) -> Activation:
        """The next one: what is recorded and has not been told."""
        facts = tuple(self.history[self.told :])
        activation = Activation(
            run_key=self.run_key,
            dag_id=self.dag_id,
            run_id="1",
            run_uid=f"uid-{self.run_key}",
            run_type=RunType.MANUAL,
            version_id=self.version_id,
            code=self.code,
            file=self.file,
            params=self.params,
            after=self.told,
            asked_until=self.asked_until,
            facts=facts,
        )
        self.told = len(self.history)
        return activation


class Prompter:
    """A replayer, driven from the test's own thread, and all that it has said."""

    def __init__(self, replayer: Replayer) -> None:
        self.replayer = replayer
        self.losses: list[ReplayLost] = []
        self.wanted: list[FactsWanted] = []
        self._advances: dict[int, Advance] = {}
        self._open: dict[int, tuple[Performance, Activation]] = {}

    def activate(self, *performances: Performance) -> None:
        activations = []
        for performance in performances:
            activation = performance.activation()
            self._open[performance.run_key] = performance, activation
            activations.append(activation)
        self.replayer.activate(activations)

    def turn(self, seconds: float = 0.05) -> None:
        """Wait until there may be something new, ``seconds`` at most, and take it in."""
        due = self.replayer.next_due()
        if due is not None:
            seconds = min(seconds, max(0.0, (due - datetime.now(UTC)).total_seconds()))
        select.select(self.replayer.files(), [], [], seconds)
        for word in self.replayer.words():
            match word:
                case Advance():
                    assert word.run_key in self._open, "it answers what was forgotten"
                    del self._open[word.run_key]
                    self._advances[word.run_key] = word
                case FactsWanted():
                    self.wanted.append(word)
                    self._supply(word)
                case ReplayLost():
                    self.losses.append(word)
                    self.replayer.activate([self._open[word.run_key][1]])

    def _supply(self, word: FactsWanted) -> None:
        performance, activation = self._open[word.run_key]
        facts = performance.history[word.after : activation.after][:2]
        until = facts[-1].seq if facts else activation.after
        self.replayer.supply(word.run_key, facts, is_all=until >= activation.after)

    def until(self, condition: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            assert time.monotonic() < deadline, f"{what} did not come"
            self.turn()

    def answer(self, performance: Performance) -> Advance:
        """What the code says to the activation that is under way."""
        self.until(lambda: performance.run_key in self._advances, f"the answer of {performance.dag_id}")
        return self._advances.pop(performance.run_key)

    def advance(self, performance: Performance) -> tuple[WorkflowCommand, ...]:
        """Tell the run its news, and record what its code asks for."""
        self.activate(performance)
        commands = self.answer(performance).commands
        performance.take(commands)
        return commands

    def play(self, performance: Performance) -> WorkflowCommand:
        """See the run through to its end: its last word."""
        while True:
            commands = self.advance(performance)
            if commands and not isinstance(commands[-1], Call):
                return commands[-1]

    def block(self, performance: Performance) -> Block:
        """Why the run cannot go on."""
        last = self.play(performance)
        assert isinstance(last, Block), last
        return last

    def forget(self, performance: Performance) -> None:
        """Drop it where it is replayed; the next activation goes on in the middle."""
        self._open.pop(performance.run_key, None)
        self.replayer.forget([performance.run_key])
