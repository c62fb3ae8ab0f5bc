"""A debugger in the body of a task, at a real terminal."""

import os
import pty
import re
import select
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from orchestrator.testing.home import LiveHome

DAG = """
from orchestrator import dag, task

@dag
def shop():
    @task
    def pick(basket="apples"):
        breakpoint()
        return basket

    @task
    def pack(basket):
        return f"packed {basket}"

    pack(pick())

shop_dag = shop()
if __name__ == "__main__":
    shop_dag.test()
"""
WAYS = {
    "dags test": ("-m", "orchestrator", "dags", "test", "shop"),
    "tasks test": ("-m", "orchestrator", "tasks", "test", "shop", "pick"),
    "a script": ("dags/shop.py",),
    "run": ("-m", "orchestrator", "run", "dags/shop.py"),
}


class Terminal:
    """A program at a terminal of its own."""

    def __init__(self, home: LiveHome, words: Sequence[str]) -> None:
        self._own, theirs = pty.openpty()
        environment = home.environment | {"TERM": "dumb", "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}
        self._process = subprocess.Popen(
            [sys.executable, *words], cwd=home.folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs
        )
        os.close(theirs)
        self.seen = ""

    def expect(self, text: str, seconds: float = 40) -> str:
        """Read until ``text`` has come; what came before it since the last time."""
        deadline = time.monotonic() + seconds
        while text not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} did not come: {self.seen}"
            ready, _, _ = select.select([self._own], [], [], left)
            assert ready, f"{text!r} did not come: {self.seen}"
            try:
                read = os.read(self._own, 4096)
            except OSError:  # the other side is closed
                read = b""
            assert read, f"{text!r} did not come, and the program has ended: {self.seen}"
            self.seen += read.decode()
        before, _, self.seen = self.seen.partition(text)
        return before

    def type(self, line: str) -> None:
        os.write(self._own, f"{line}\n".encode())

    def end(self) -> tuple[int, str]:
        """The exit status, and the last words."""
        words = self.seen
        while True:
            try:
                read = os.read(self._own, 4096)
            except OSError:
                break
            if not read:
                break
            words += read.decode()
        return self._process.wait(timeout=20), words

    def close(self) -> None:
        self._process.kill()
        self._process.wait(timeout=20)
        os.close(self._own)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[LiveHome]:
    with LiveHome(tmp_path) as live:
        live.write_dag("shop.py", DAG)
        yield live


@pytest.mark.parametrize("way", WAYS)
def test_a_breakpoint_in_a_body_stops_there_and_what_is_typed_goes_to_it(home: LiveHome, way: str) -> None:
    terminal = Terminal(home, WAYS[way])
    try:
        assert "-> return basket" in terminal.expect("(Pdb) ")
        terminal.type("p basket.upper()")
        assert "'APPLES'" in terminal.expect("(Pdb) ")
        terminal.type("basket = 'pears'")
        terminal.expect("(Pdb) ")
        terminal.type("continue")
        status, words = terminal.end()
    finally:
        terminal.close()
    assert status == 0, words
    assert re.search("pears" if way == "tasks test" else "packed pears|success", words)


@pytest.mark.parametrize("way", ["dags test", "a script"])
def test_to_quit_the_debugger_ends_the_program_and_tries_nothing_again(home: LiveHome, way: str) -> None:
    terminal = Terminal(home, WAYS[way])
    try:
        terminal.expect("(Pdb) ")
        terminal.type("quit")
        status, words = terminal.end()
    finally:
        terminal.close()
    assert status == 130, words
    assert "interrupted" in words
    assert "Traceback" not in words
