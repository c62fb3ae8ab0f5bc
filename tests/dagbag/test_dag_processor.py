"""Looks at the folder: what is parsed, what is recorded, what is taken out."""

import os
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import psutil
import pytest

from orchestrator.authoring.defaults import Defaults
from orchestrator.exceptions import StorageUnavailableError
from tests.dagbag.folders import DAG_FILE, DagsFolder, dag_ids

START = datetime(2026, 1, 1, tzinfo=UTC)


class FakeClock:
    """A clock that a test moves."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def now(self) -> datetime:
        return self.moment


def test_every_file_is_parsed_once_and_only_again_when_it_changed(folder: DagsFolder) -> None:
    for name in ("a", "b", "team/c"):
        folder.write_dag(f"{name}.py")
    folder.write("helper.py", "def add(a, b): return a + b")
    first = folder.scan()
    assert (first.files, first.parsed, first.errors, first.removed) == (3, 3, 0, 0)
    assert folder.scan().parsed == 0
    folder.write_dag("b.py", "other")
    assert folder.scan().parsed == 1
    assert dag_ids(folder.catalog.files["b.py"]) == ["other"]


def test_a_file_that_is_only_touched_is_not_parsed(folder: DagsFolder) -> None:
    path = folder.write_dag("a.py")
    folder.scan()
    os.utime(path, (1, 1))
    assert folder.scan().parsed == 0


def test_a_restart_parses_nothing_that_did_not_change(folder: DagsFolder) -> None:
    folder.write(
        "a.py",
        "import helper\ntry:\n    import absent_one\nexcept ImportError:\n    pass\n" + DAG_FILE.format(dag_id="a"),
    )
    folder.write("b.py", "import os, helper\nos.listdir(os.path.dirname(__file__))\n" + DAG_FILE.format(dag_id="b"))
    folder.write("helper.py", "")
    folder.write_dag("c.py")
    folder.scan()
    assert folder.processor().scan().parsed == 0


def test_a_variable_of_the_environment_that_a_file_asks_for_counts(
    folder: DagsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "test")
    monkeypatch.delenv("REGION", raising=False)
    folder.write(
        "a.py",
        """
        import os
        from orchestrator import DAG
        os.environ["OWN"] = "set here"
        for name in (os.environ["STAGE"], os.getenv("REGION", "nowhere"), os.environ.get("OWN")):
            DAG(name.replace(" ", "_"), schedule=None)
        """,
    )
    folder.scan()
    assert folder.processor().scan().parsed == 0
    monkeypatch.setenv("REGION", "somewhere")
    monkeypatch.setenv("UNRELATED", "x")
    assert folder.processor().scan().parsed == 1
    assert dag_ids(folder.catalog.files["a.py"]) == ["test", "somewhere", "set_here"]


def test_other_defaults_parse_every_file_again(folder: DagsFolder) -> None:
    folder.write_dag("a.py")
    folder.scan()
    folder.processor(defaults=Defaults(max_active_runs=3)).scan()
    assert [dag.spec.max_active_runs for dag in folder.catalog.files["a.py"].dags] == [3]


def test_a_failure_is_tried_again_after_a_while_and_by_the_next_start(folder: DagsFolder) -> None:
    folder.write("a.py", "from orchestrator import DAG\nimport not_installed_yet\n")
    clock = FakeClock(START)
    processor = folder.processor(clock=clock, refresh=timedelta(seconds=300))
    assert processor.scan().errors == 1
    assert processor.scan().parsed == 0
    clock.moment += timedelta(seconds=301)
    assert processor.scan().errors == 1
    assert folder.processor().scan().errors == 1


def test_a_changed_module_parses_the_files_that_need_it_and_no_others(folder: DagsFolder) -> None:
    folder.write("a.py", "import one\n" + DAG_FILE.format(dag_id="a"))
    folder.write("b.py", "import two\n" + DAG_FILE.format(dag_id="b"))
    folder.write("one.py", "import two")
    folder.write("two.py", "X = 1")
    folder.scan()
    folder.write("one.py", "import two  # changed")
    assert folder.scan().parsed == 1
    folder.write("two.py", "X = 2")
    assert folder.scan().parsed == 2


def test_a_module_that_was_missing_mends_the_file_when_it_comes(folder: DagsFolder) -> None:
    folder.write("a.py", "import helper\n" + DAG_FILE.format(dag_id="a"))
    assert folder.scan().errors == 1
    (folder.plugins / "helper.py").write_text("", encoding="utf-8")
    assert folder.scan().errors == 0
    assert dag_ids(folder.catalog.files["a.py"]) == ["a"]


def test_a_broken_module_mends_the_file_when_it_is_mended(folder: DagsFolder) -> None:
    folder.write("a.py", "import helper\n" + DAG_FILE.format(dag_id="a"))
    folder.write("helper.py", "x = (")
    assert folder.scan().errors == 1
    folder.write("helper.py", "x = 1")
    assert folder.scan().errors == 0


def test_a_file_that_makes_a_dag_of_each_file_in_a_folder_sees_a_new_one(folder: DagsFolder) -> None:
    folder.write(
        "a.py",
        """
        from pathlib import Path
        from orchestrator import DAG
        for path in sorted((Path(__file__).parent / "configs").glob("*.txt")):
            DAG(path.read_text(), schedule=None)
        """,
    )
    folder.write("configs/one.txt", "one")
    assert dag_ids(folder.parse("a.py")) == ["one"]
    folder.write("configs/two.txt", "two")
    assert dag_ids(folder.parse("a.py")) == ["one", "two"]
    folder.write("configs/two.txt", "three")
    assert dag_ids(folder.parse("a.py")) == ["one", "three"]


def test_a_file_that_is_gone_or_left_out_or_no_dag_file_any_more_is_taken_out(folder: DagsFolder) -> None:
    for name in ("gone", "left_out", "helper", "stays"):
        folder.write_dag(f"{name}.py")
    folder.scan()
    (folder.dags / "gone.py").unlink()
    folder.write(".airflowignore", "left_*.py")
    folder.write("helper.py", "x = 1")
    assert folder.scan().removed == 3
    assert list(folder.catalog.files) == ["stays.py"]


def test_a_folder_that_cannot_be_read_takes_no_file_out(folder: DagsFolder, caplog: pytest.LogCaptureFixture) -> None:
    folder.write_dag("a.py")
    folder.scan()
    folder.dags.rename(folder.home / "unmounted")
    for _ in range(2):
        assert folder.scan().removed == 0
    assert "a.py" in folder.catalog.files
    assert caplog.text.count("cannot be read") == 1


def test_a_file_that_cannot_be_read_is_an_error_and_stays(folder: DagsFolder) -> None:
    path = folder.write_dag("a.py")
    folder.scan()
    path.unlink()
    path.symlink_to("/proc/self/mem")  # reading its first byte fails, also for root
    assert folder.scan().errors == 1
    failure = folder.catalog.files["a.py"].failure
    assert failure is not None
    assert failure.message == "the file cannot be read: Input/output error"
    assert folder.scan().parsed == 0


def test_what_is_ready_is_recorded_before_what_is_slow(folder: DagsFolder) -> None:
    folder.write("a_slow.py", "import time\ntime.sleep(0.6)\n" + DAG_FILE.format(dag_id="slow"))
    for name in ("b", "c", "d"):
        folder.write_dag(f"{name}.py")
    folder.scan()
    assert folder.catalog.batches[-1] == ["a_slow.py"]
    assert folder.changes == len(folder.catalog.batches) >= 2


def test_a_slow_file_does_not_hold_up_one_that_comes_later(folder: DagsFolder) -> None:
    begun, go_on = folder.home / "begun", folder.home / "go_on"
    waits = (
        f"import pathlib\npathlib.Path({str(begun)!r}).touch()\nwhile not pathlib.Path({str(go_on)!r}).exists(): pass\n"
    )
    folder.write("slow.py", waits + DAG_FILE.format(dag_id="slow"))
    scan = threading.Thread(target=folder.processor(parallel=2).scan)
    scan.start()
    try:
        wait_until(begun.exists)
        folder.write_dag("later.py")
        wait_until(lambda: "later.py" in folder.catalog.files)
        assert "slow.py" not in folder.catalog.files
    finally:
        go_on.touch()
        scan.join()
    assert dag_ids(folder.catalog.files["slow.py"]) == ["slow"]


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_many_files_are_parsed_at_once(folder: DagsFolder) -> None:
    """Each comes to its end only while all of them are parsed."""
    wait = """
import time
from pathlib import Path
here = Path(__file__)
here.with_suffix(".here").touch()  # effect: ok
while len(list(here.parent.glob("*.here"))) < 6:
    time.sleep(0.01)
"""
    for number in range(6):
        folder.write(f"d{number}.py", wait + DAG_FILE.format(dag_id=f"d{number}"))
    report = folder.processor(parallel=6).scan()
    assert (report.parsed, report.errors) == (6, 0)


def test_what_could_not_be_recorded_is_parsed_again(folder: DagsFolder) -> None:
    folder.write_dag("a.py")
    folder.catalog.failures.append(StorageUnavailableError("the database is locked"))
    with pytest.raises(StorageUnavailableError):
        folder.scan()
    assert folder.scan().parsed == 1


def test_a_scan_that_is_stopped_ends_at_once_and_kills_what_it_parses(folder: DagsFolder) -> None:
    folder.write("a.py", "from orchestrator import DAG\nimport time\ntime.sleep(60)\n")
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    report = folder.processor().scan(stop)
    assert report.seconds < 5
    assert report.parsed == 0


def test_a_file_that_cannot_be_parsed_is_an_error_each_time_it_changes(folder: DagsFolder) -> None:
    folder.write("a.py", DAG_FILE.format(dag_id="a") + "x = (")
    assert folder.scan().errors == 1
    assert folder.scan().parsed == 0
    folder.write("a.py", DAG_FILE.format(dag_id="a") + "y = (")
    assert folder.scan().errors == 1


def test_nothing_is_written_beside_the_dag_files(folder: DagsFolder) -> None:
    folder.write("a.py", "import pkg.helper\n" + DAG_FILE.format(dag_id="a"))
    folder.write("pkg/helper.py", "")
    folder.scan()
    found = sorted(str(path.relative_to(folder.dags)) for path in folder.dags.rglob("*"))
    assert found == ["a.py", "pkg", "pkg/helper.py"]


def test_a_scan_of_nothing_starts_no_process(folder: DagsFolder) -> None:
    before = psutil.Process().children()
    report = folder.scan()
    assert (report.files, report.parsed) == (0, 0)
    assert psutil.Process().children() == before
