"""The dag processor as it runs for ever: a thread of its own stands for its process."""

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from tests.dagbag.folders import DagsFolder, dag_ids

Wait = Callable[..., None]


class Running:
    """A dag processor that watches."""

    def __init__(self, folder: DagsFolder) -> None:
        self.stop = threading.Event()
        self._thread = threading.Thread(target=folder.processor().run, args=(self.stop,))
        self._thread.start()

    def end(self) -> float:
        """Stop it; how long that took, in seconds."""
        began = time.monotonic()
        self.stop.set()
        self._thread.join()
        return time.monotonic() - began


@pytest.fixture
def running(folder: DagsFolder, wait_until: Wait) -> Iterator[Running]:
    """A dag processor that has seen a.py and watches."""
    folder.write_dag("a.py")
    found = Running(folder)
    wait_until(lambda: "a.py" in folder.catalog.files)
    yield found
    found.end()


def has(folder: DagsFolder, file: str, *expected: str) -> Callable[[], bool]:
    return lambda: file in folder.catalog.files and dag_ids(folder.catalog.files[file]) == list(expected)


def test_a_saved_change_is_recorded_in_less_than_a_second(
    folder: DagsFolder, running: Running, wait_until: Wait
) -> None:
    taken = []
    for number in range(3):
        began = time.monotonic()
        folder.write_dag("a.py", f"changed_{number}")
        wait_until(has(folder, "a.py", f"changed_{number}"))
        taken.append(time.monotonic() - began)
    assert min(taken) < 1, taken


def test_new_files_new_folders_and_removals_are_noticed(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    folder.write_dag("team/deep/b.py")
    wait_until(has(folder, "team/deep/b.py", "b"))
    folder.write_dag("team/deep/c.py")
    wait_until(has(folder, "team/deep/c.py", "c"))
    shutil.rmtree(folder.dags / "team")
    wait_until(lambda: list(folder.catalog.files) == ["a.py"])


def test_a_change_that_keeps_size_and_time_is_noticed(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    path = folder.dags / "a.py"
    before = path.stat()
    path.write_bytes(path.read_bytes().replace(b"'a'", b"'b'"))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    wait_until(has(folder, "a.py", "b"))


def test_a_changed_ignore_file_is_noticed(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    ignore = folder.write(".airflowignore", "a.py")
    wait_until(lambda: not folder.catalog.files)
    ignore.unlink()
    wait_until(has(folder, "a.py", "a"))


def test_a_changed_plugin_is_noticed(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    plugin = folder.plugins / "names.py"
    plugin.write_text("NAME = 'one'", encoding="utf-8")
    folder.write("b.py", "from orchestrator import DAG\nfrom names import NAME\nDAG(NAME, schedule=None)\n")
    wait_until(has(folder, "b.py", "one"))
    plugin.write_text("NAME = 'two'", encoding="utf-8")
    wait_until(has(folder, "b.py", "two"))


def test_a_folder_that_is_replaced_is_watched_again(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    folder.dags.rename(folder.home / "old")
    folder.dags.mkdir()
    folder.write_dag("b.py")
    wait_until(lambda: list(folder.catalog.files) == ["b.py"])
    folder.write_dag("c.py")
    wait_until(has(folder, "c.py", "c"))


def test_a_folder_that_is_not_there_yet_is_waited_for(folder: DagsFolder, wait_until: Wait) -> None:
    folder.dags.rmdir()
    running = Running(folder)
    try:
        folder.write_dag("a.py")
        wait_until(has(folder, "a.py", "a"))
    finally:
        running.end()


def test_it_stops_at_once(folder: DagsFolder, running: Running) -> None:
    assert running.end() < 2


def test_it_stops_at_once_while_a_file_is_parsed(folder: DagsFolder, running: Running, wait_until: Wait) -> None:
    folder.write(
        "slow.py",
        "from orchestrator import DAG\nimport time\nopen(__file__ + '.on', 'w')  # effect: ok\ntime.sleep(60)\n",
    )
    wait_until((folder.dags / "slow.py.on").exists)
    assert running.end() < 2
