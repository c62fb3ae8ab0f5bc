"""What both origins of processes promise: a new interpreter, and the seed that forks."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import psutil
import pytest

from orchestrator.processes.entry import Entry, Origin
from orchestrator.processes.interpreter import Interpreter
from orchestrator.processes.seed import Seed
from tests.worker.workshop import is_alive, wait_until

HERE = "tests.processes.programs"
Open = Callable[..., Any]


class Grown:
    """A seed in a process of its own, as a command plants it, without the command."""

    def __init__(self) -> None:
        self.control, theirs = socket.socketpair()
        with theirs:
            entry = Entry("orchestrator.processes.sprouting:sprout")
            self.process = Interpreter().start(entry, files=[theirs.fileno()])
        self.seed = Seed(self.control)

    @property
    def pid(self) -> int:
        pid: int = self.process.pid  # type: ignore[attr-defined]
        return pid


@pytest.fixture
def grown() -> Iterator[Grown]:
    grown = Grown()
    yield grown
    grown.control.close()
    grown.process.wait(10)


@pytest.fixture(params=["interpreter", "seed"])
def origin(request: pytest.FixtureRequest) -> Origin:
    return Interpreter() if request.param == "interpreter" else request.getfixturevalue("grown").seed


def run(origin: Origin, name: str, *arguments: object) -> int:
    return origin.start(Entry(f"{HERE}:{name}", arguments)).wait(20)


def told(origin: Origin, stdin: int | None = None, **environment: str) -> dict[str, Any]:
    """What a process says of itself."""
    reader, writer = os.pipe()
    process = origin.start(Entry(f"{HERE}:tell", (["a", "ü b"],), environment), stdin=stdin, files=[writer])
    os.close(writer)
    with os.fdopen(reader) as words:
        said: dict[str, Any] = json.loads(words.read())
    assert process.wait(20) == 0
    return said


def test_what_the_target_returns_is_the_exit_status(origin: Origin) -> None:
    assert [run(origin, "answer", 3), run(origin, "nothing"), run(origin, "leave", 4)] == [3, 0, 4]


def test_an_error_in_the_target_is_told_and_is_no_success(origin: Origin, capfd: pytest.CaptureFixture[str]) -> None:
    assert run(origin, "fail") != 0


def test_a_signal_is_a_status_below_0(origin: Origin) -> None:
    assert run(origin, "end_by", signal.SIGTERM) == -signal.SIGTERM


def test_a_process_that_runs_is_waited_for_no_longer_than_asked_and_can_be_killed(origin: Origin) -> None:
    process = origin.start(Entry(f"{HERE}:sleep"))
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.05)
    process.kill()
    assert process.wait(20) == process.wait() == -signal.SIGKILL
    process.kill()  # nothing happens to whoever has that number now


def test_a_process_is_as_if_it_had_just_been_started(origin: Origin) -> None:
    said = told(origin, COLOUR="blue")
    assert said["words"] == ["a", "ü b"]
    assert said["stdin"] == "", "there is nothing to read unless it is given something"
    assert said["environment"] == "blue"
    assert said["session"], "the signals of a terminal are not for it"
    assert said["terminates"]
    assert said["path"] == sys.path
    assert "COLOUR" not in os.environ
    assert told(origin)["environment"] is None, "what one is told no other sees"


def test_a_process_reads_the_standard_input_that_it_is_given(origin: Origin) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"a word")
    os.close(writer)
    assert told(origin, reader)["stdin"] == "a word"
    os.close(reader)


def test_its_title_says_what_it_is(origin: Origin) -> None:
    process = origin.start(Entry(f"{HERE}:sleep"))
    seen = psutil.Process(process.pid)  # type: ignore[attr-defined]
    wait_until(lambda: HERE in " ".join(seen.cmdline()), "it bears its title")
    process.kill()
    process.wait(20)


def test_multiprocessing_works_in_it_and_does_not_import_the_command_that_started_it(origin: Origin) -> None:
    assert run(origin, "spread") == 42


# ── the seed alone ───────────────────────────────────────────────────────────────────────────────────────


def test_a_seed_forks_for_many_threads_at_once(grown: Grown) -> None:
    statuses: dict[int, int] = {}

    def ask(number: int) -> None:
        statuses[number] = run(grown.seed, "answer", number)

    threads = [threading.Thread(target=ask, args=[number]) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == {number: number for number in range(20)}
    assert told(grown.seed)["parent"] == grown.pid


def test_a_seed_keeps_no_descriptor_of_what_it_has_forked(grown: Grown) -> None:
    seed = psutil.Process(grown.pid)
    run(grown.seed, "nothing")
    processes = [grown.seed.start(Entry(f"{HERE}:sleep")) for _ in range(5)]
    among_many = seed.num_fds()
    for process in processes:
        process.kill()
        process.wait(20)
    wait_until(lambda: seed.num_fds() == among_many - 5, "one descriptor is closed for each that has ended")


def test_a_seed_heeds_no_signal_that_asks_it_to_end(grown: Grown) -> None:
    run(grown.seed, "nothing")
    for number in (signal.SIGTERM, signal.SIGINT):
        os.kill(grown.pid, number)
    assert told(grown.seed)["parent"] == grown.pid


def test_when_the_seed_dies_what_it_forked_is_ended_and_an_interpreter_starts_the_next(grown: Grown) -> None:
    process = grown.seed.start(Entry(f"{HERE}:sleep"))
    forked = process.pid  # type: ignore[attr-defined]
    os.kill(grown.pid, signal.SIGKILL)
    assert process.wait(20) == -signal.SIGKILL
    wait_until(lambda: not is_alive(forked), "it has gone")
    said = told(grown.seed)
    assert said["parent"] == os.getpid()
    assert said["session"]


PLANTER = """
import os, sys
from orchestrator.processes.entry import Entry
from orchestrator.processes.seed import planted

with planted(lambda: None) as seed:
    reader, writer = os.pipe()
    process = seed.start(Entry("tests.processes.programs:tell", (["a"],)), files=[writer])
    os.close(writer)
    print(os.read(reader, 4096).decode())
    print(process.wait())
    {then}
"""


def test_a_seed_is_planted_by_a_fork_and_ends_with_its_planter() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLANTER.format(then="os.close(0)")], capture_output=True, text=True, timeout=30
    )
    said, status = done.stdout.splitlines()
    assert (done.returncode, done.stderr, status) == (0, "", "0")
    assert not psutil.pid_exists(json.loads(said)["parent"])


def test_a_seed_ends_when_its_planter_is_killed() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PLANTER.format(then="sys.stdout.flush(); os.kill(os.getpid(), 9)")],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == -signal.SIGKILL  # and its output ended, which the seed held as well
