"""What comes of one parse, in a real child process."""

import contextlib
import logging
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from orchestrator.ports import ImportFailure, ParsedFile
from tests.dagbag.folders import DAG_FILE, DagsFolder, dag_ids


def failure(parsed: ParsedFile) -> ImportFailure:
    assert parsed.failure is not None
    return parsed.failure


def version(parsed: ParsedFile) -> tuple[str, str]:
    (dag,) = parsed.dags
    return dag.fingerprint, dag.code_fingerprint


def test_a_file_becomes_the_specs_of_its_dags(folder: DagsFolder) -> None:
    folder.write("team/d.py", DAG_FILE.format(dag_id="one") + DAG_FILE.format(dag_id="two"))
    parsed = folder.parse("team/d.py")
    assert dag_ids(parsed) == ["one", "two"]
    assert parsed.failure is None
    assert [dag.spec.file for dag in parsed.dags] == ["team/d.py", "team/d.py"]
    assert [task.task_id for task in parsed.dags[0].spec.tasks] == ["only"]
    assert parsed.duration > 0


# ── what belongs to a version ────────────────────────────────────────────────────────────────────────────────


def test_a_version_holds_the_modules_that_are_imported_also_those_imported_late(folder: DagsFolder) -> None:
    folder.write(
        "d.py",
        """
        from orchestrator import DAG, task
        import direct
        with DAG("d", schedule=None):
            @task
            def body():
                from pkg.late import thing
                import importlib
                return importlib.import_module("by_name")
            body()
        """,
    )
    folder.write("direct.py", "import indirect")
    folder.write("indirect.py", "")
    folder.write("by_name.py", "")
    folder.write("unrelated.py", "")
    folder.write("pkg/__init__.py", "")
    folder.write("pkg/late.py", "from . import later\nthing = 1\n")
    folder.write("pkg/later.py", "import mine")
    (folder.plugins / "mine.py").write_text("", encoding="utf-8")
    parsed = folder.parse("d.py")
    assert set(parsed.files) == {
        ".plugins/mine.py",
        "by_name.py",
        "d.py",
        "direct.py",
        "indirect.py",
        "pkg/__init__.py",
        "pkg/late.py",
        "pkg/later.py",
    }
    assert parsed.files["direct.py"] == b"import indirect"


def test_a_version_holds_the_files_that_the_parse_opened_and_the_source_names(folder: DagsFolder) -> None:
    folder.write(
        "team/d.py",
        """
        from pathlib import Path
        from orchestrator import DAG, task
        from orchestrator.operators import BashOperator
        NAMES = (Path(__file__).parent / "names.txt").read_text().split()
        with DAG("d", schedule=None):
            @task
            def body():
                return (Path(__file__).parent / "sql" / "late.sql").read_text()
            body() >> BashOperator(task_id="b", bash_command="run.sh")
        """,
    )
    folder.write("team/names.txt", "a b")
    folder.write("team/sql/late.sql", "select 1")
    folder.write("team/run.sh", "echo {% include 'part.sh' %}")
    folder.write("team/part.sh", "part")
    folder.write("team/unrelated.txt", "")
    parsed = folder.parse("team/d.py")
    assert parsed.failure is None
    assert set(parsed.files) == {
        "team/d.py",
        "team/names.txt",
        "team/part.sh",
        "team/run.sh",
        "team/sql/late.sql",
    }


def test_a_file_opened_by_a_relative_path_or_outside_of_the_folder_is_told_apart(
    folder: DagsFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.home)
    (folder.home / "outside.txt").write_text("", encoding="utf-8")
    folder.write("inside.bin", b"\xff")
    folder.write_dag("d.py").write_text(
        DAG_FILE.format(dag_id="d") + "open('dags/inside.bin', 'rb').close(); open('outside.txt').close()",
        encoding="utf-8",
    )
    assert folder.parse("d.py").files.keys() == {"d.py", "inside.bin"}


def test_a_data_file_too_large_for_a_version_is_refused(folder: DagsFolder) -> None:
    with folder.write("data.bin", b"").open("wb") as large:
        large.truncate(33 * 1024**2)
    folder.write("d.py", DAG_FILE.format(dag_id="d") + "open(__file__.replace('d.py', 'data.bin'), 'rb').close()")
    parsed = folder.parse("d.py")
    assert "data.bin is read while the file is parsed and has more than 32 MiB" in failure(parsed).message
    assert parsed.dags == ()


# ── versions ─────────────────────────────────────────────────────────────────────────────────────────────────

VERSIONED = """
from datetime import datetime
from orchestrator import DAG, task
import helper

default_args = {"retries": 2, "owner": "me"}
marker = object()

with DAG("d", schedule="@daily", start_date=datetime(2024, 1, 1), params={"a": 1, "b": 2}, default_args=default_args):
    names = {"left", "right", "middle", "top"}

    def made(name):
        @task(task_id=name)
        def body(limit=helper.LIMIT, marker=marker):
            return limit
        return body()

    [made(name) for name in names]
"""


def version_after(folder: DagsFolder, source: str = VERSIONED, helper: str = "LIMIT = 1\n") -> tuple[str, str]:
    folder.write("d.py", source)
    folder.write("helper.py", helper)
    return version(folder.parse("d.py"))


def test_layout_comments_and_the_time_of_the_parse_make_no_new_version(folder: DagsFolder) -> None:
    first = version_after(folder)
    parses = len(folder.catalog.batches)
    same = VERSIONED.replace('"retries": 2, "owner": "me"', '\n    "owner": "me",  # who\n    "retries": 2\n')
    same = same.replace('{"a": 1, "b": 2}', '{"b": 2, "a": 1}').replace("import helper\n", "import helper  # ours\n\n")
    assert version_after(folder, same) == first
    assert version_after(folder, same, "# its only line\nLIMIT = (1)\n") == first
    assert len(folder.catalog.batches) == parses + 2, "each change was parsed"


def test_each_process_gives_the_same_version(folder: DagsFolder) -> None:
    folder.write("d.py", VERSIONED)
    folder.write("helper.py", "LIMIT = 1")
    found = set()
    for _ in range(3):
        with contextlib.closing(folder.processor()) as processor:
            folder.catalog.files.clear()
            processor.scan()
        found.add(version(folder.catalog.files["d.py"]))
    assert len(found) == 1


def test_a_changed_constant_in_an_imported_module_makes_a_new_version(folder: DagsFolder) -> None:
    first = version_after(folder)
    assert version_after(folder, helper="LIMIT = 2\n")[1] != first[1]


def test_a_changed_setting_makes_a_new_version(folder: DagsFolder) -> None:
    first = version_after(folder)
    assert version_after(folder, VERSIONED.replace('"retries": 2', '"retries": 3'))[0] != first[0]


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_dag_that_cannot_be_compiled_does_not_keep_its_neighbours_out(folder: DagsFolder) -> None:
    folder.write(
        "d.py",
        """
        from orchestrator import DAG
        from orchestrator.operators import EmptyOperator
        with DAG("circle", schedule=None):
            a, b = EmptyOperator(task_id="a"), EmptyOperator(task_id="b")
            a >> b >> a
        with DAG("good", schedule=None):
            EmptyOperator(task_id="only")
        """,
    )
    parsed = folder.parse("d.py")
    assert dag_ids(parsed) == ["good"]
    assert "cycle" in failure(parsed).message
    assert (failure(parsed).file, failure(parsed).line) == ("d.py", 4)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param("EmptyOperator(task_id='a')\n    EmptyOperator(task_id='a')", "'a' already", id="task_id"),
        pytest.param("EmptyOperator(task_id='a', trigger_rule='sometimes')", "sometimes", id="trigger rule"),
        pytest.param("EmptyOperator(task_id='a', retrys=1)", "retrys", id="task setting"),
    ],
)
def test_an_authors_mistake_has_its_file_and_line(folder: DagsFolder, body: str, words: str) -> None:
    imports = "from orchestrator import DAG\nfrom orchestrator.operators import EmptyOperator\n"
    folder.write("d.py", f"{imports}with DAG('d', schedule=None):\n    {body}\n")
    parsed = folder.parse("d.py")
    assert words in failure(parsed).message
    assert failure(parsed).file == "d.py"
    assert failure(parsed).line == 3 + len(body.splitlines())
    assert str(folder.home) not in failure(parsed).message


def test_a_bad_cron_expression_is_refused(folder: DagsFolder) -> None:
    folder.write("d.py", "from orchestrator import DAG\n\nDAG('d', schedule='61 * * * *')\n")
    found = failure(folder.parse("d.py"))
    assert "61 * * * *" in found.message
    assert (found.file, found.line) == ("d.py", 3)


def parse_late(folder: DagsFolder, source: str) -> ImportFailure:
    folder.write("d.py", f"from orchestrator import DAG\n{source}")
    folder.processor(timeout=0.8).scan()
    return failure(folder.catalog.files["d.py"])


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("while True:\n    pass\n", id="loop"),
        pytest.param("import time\ntime.sleep(60)\n", id="sleep"),
        pytest.param("try:\n    while True: pass\nexcept BaseException:\n    pass\n", id="catches everything"),
    ],
)
def test_a_parse_that_takes_too_long_is_ended_where_it_stands(folder: DagsFolder, source: str) -> None:
    found = parse_late(folder, source)
    assert "longer than 0.8 s" in found.message
    assert found.line in (2, 3)
    assert found.frames[-1].startswith(f'File "d.py", line {found.line}')


def test_a_parse_that_cannot_be_interrupted_is_killed(folder: DagsFolder) -> None:
    found = parse_late(folder, "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, [14])\nwhile True:\n    pass\n")
    assert "could not be interrupted" in found.message


@pytest.mark.parametrize(
    ("source", "words"),
    [
        pytest.param("os._exit(3)", "with exit status 3", id="exit"),
        pytest.param("os._exit(0)", "with exit status 0", id="exit as if all were well"),
        pytest.param("import ctypes; ctypes.string_at(0)", "SIGSEGV", id="segfault"),
        pytest.param("os.kill(os.getpid(), 9)", "SIGKILL", id="kill"),
        pytest.param("os.closerange(3, 65536)", "ended", id="closes files that are not its own"),
    ],
)
def test_a_parse_whose_process_dies_says_how(folder: DagsFolder, source: str, words: str) -> None:
    folder.write("d.py", f"import os\nfrom orchestrator import DAG\nprint('last words', flush=True)\n{source}\n")
    folder.write_dag("e.py")
    parsed = folder.parse("d.py")
    assert words in failure(parsed).message
    assert "last words" in failure(parsed).frames
    assert dag_ids(folder.catalog.files["e.py"]) == ["e"]


def test_a_parse_that_kills_the_zygote_does_not_stop_the_others(folder: DagsFolder) -> None:
    for number in range(12):
        folder.write_dag(f"d{number}.py")
    folder.write("killer.py", "import os\nfrom orchestrator import DAG\nos.kill(os.getppid(), 9)  # effect: ok\n")
    folder.scan()
    assert "kills the processes that parse" in failure(folder.catalog.files["killer.py"]).message
    good = [file for file, parsed in folder.catalog.files.items() if parsed.failure is None]
    assert len(good) == 12


def test_a_parse_may_not_use_up_the_memory(folder: DagsFolder) -> None:
    folder.write("d.py", "from orchestrator import DAG\nx = bytearray(3 * 1024**3)\n")
    folder.processor(memory=2 * 1024**3).scan()
    found = failure(folder.catalog.files["d.py"])
    assert "more memory than a parse may have" in found.message
    assert found.line == 2


def test_an_enormous_file_is_not_read(folder: DagsFolder) -> None:
    folder.write("d.py", DAG_FILE.format(dag_id="d") + "# " + "x" * 2_000_000)
    assert "a DAG file may have 1,048,576" in failure(folder.parse("d.py")).message


def test_a_file_that_is_no_text_is_refused(folder: DagsFolder) -> None:
    folder.write("d.py", "from orchestrator import DAG".encode("utf-16"))
    assert "save the file as UTF-8" in failure(folder.parse("d.py")).message


def test_what_a_parse_prints_is_logged_and_bounded(
    folder: DagsFolder, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    loud = (
        "for _ in range(3000):\n    print('x' * 1000)\nsys.stderr.write('to the end')\n"
        "os.system('echo of a child')  # effect: ok\n"
    )
    folder.write("d.py", f"import os, sys\n{DAG_FILE.format(dag_id='d')}{loud}")
    with caplog.at_level(logging.INFO, "orchestrator.dagbag"):
        parsed = folder.parse("d.py")
    assert parsed.failure is None
    assert "d.py printed while it was parsed" in caplog.text
    assert "of a child" in caplog.text
    assert len(caplog.text) < 20_000
    assert capfd.readouterr() == ("", "")


def test_what_a_parse_has_started_ends_with_it(folder: DagsFolder, wait_until: Callable[..., None]) -> None:
    folder.write(
        "d.py",
        DAG_FILE.format(dag_id="d")
        + """
import subprocess, threading, time
child = subprocess.Popen(["sleep", "600"])  # effect: ok
threading.Thread(target=time.sleep, args=(600,)).start()  # effect: ok
print(child.pid)
open(__file__ + ".pid", "w").write(str(child.pid))  # effect: ok
""",
    )
    began = time.monotonic()
    assert folder.parse("d.py").failure is None
    assert time.monotonic() - began < 10
    pid = int((folder.dags / "d.py.pid").read_text())
    wait_until(lambda: not is_alive(pid))


def is_alive(pid: int) -> bool:
    """Whether the process runs; one that nobody has reaped yet does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_the_parses_are_no_children_of_a_terminal_and_read_no_input(folder: DagsFolder) -> None:
    folder.write("d.py", "import sys\n" + DAG_FILE.format(dag_id="d").replace("'d'", "f'd{len(sys.stdin.read())}'"))
    assert dag_ids(folder.parse("d.py")) == ["d0"]


def test_a_parse_changes_nothing_for_the_next(folder: DagsFolder) -> None:
    for name in ("a", "b"):
        folder.write(
            f"{name}.py",
            "import os, sys, json\nassert 'MARK' not in os.environ and not hasattr(json, 'mark')\n"
            "os.environ['MARK'] = json.mark = 'x'\n" + DAG_FILE.format(dag_id=name),
        )
    folder.scan()
    assert sorted(id for parsed in folder.catalog.files.values() for id in dag_ids(parsed)) == ["a", "b"]
    assert "MARK" not in os.environ


def test_a_file_with_a_very_long_chain_is_parsed(folder: DagsFolder) -> None:
    chain = " >> ".join(f"t[{number}]" for number in range(800))
    folder.write(
        "d.py",
        f"""
        from orchestrator import DAG
        from orchestrator.operators import EmptyOperator
        with DAG("d", schedule=None):
            t = [EmptyOperator(task_id=f"t{{number}}") for number in range(800)]
            {chain}
        """,
    )
    assert len(folder.parse("d.py").dags[0].spec.tasks) == 800


def test_words_that_are_no_text_cannot_spoil_the_outcome(folder: DagsFolder) -> None:
    folder.write("d.py", "from orchestrator import DAG\nDAG('d', schedule=None, doc_md=chr(0xdc80))\n")
    folder.write("e.py", "from orchestrator import DAG\nraise ValueError(chr(0xdc80))\n")
    assert "UnicodeEncodeError" in failure(folder.parse("d.py")).message
    assert failure(folder.parse("e.py")).message == "ValueError: \\udc80"


def test_nothing_is_left_running_when_the_dag_processor_is_killed(
    folder: DagsFolder, wait_until: Callable[..., None]
) -> None:
    folder.write(
        "d.py",
        "from orchestrator import DAG\nimport os, time\n"
        "open(__file__ + '.pids', 'w').write(f'{os.getpid()} {os.getppid()} ')  # effect: ok\ntime.sleep(60)\n",
    )
    started = subprocess.Popen(
        [sys.executable, "-c", f"import sys\nsys.path[:] = {sys.path!r}\n{_SCAN}", str(folder.home)], cwd="/"
    )
    written = folder.dags / "d.py.pids"
    wait_until(lambda: written.exists() and len(written.read_text().split()) == 2)
    started.kill()
    started.wait()
    pids = [int(pid) for pid in written.read_text().split()]
    wait_until(lambda: not any(map(is_alive, pids)))


_SCAN = """
from pathlib import Path
from orchestrator.clock import SystemClock
from orchestrator.dagbag.dag_processor import DagProcessor
from tests.dagbag.folders import DictCatalog

home = Path(sys.argv[1])
DagProcessor(
    home / "dags", home / "plugins", writer=DictCatalog(), on_change=lambda: None, clock=SystemClock()
).scan()
"""
