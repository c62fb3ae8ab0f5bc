"""Bad input meets the real program: one clear sentence each, and everything else goes on."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from orchestrator.testing.home import LiveHome

HEAD = """from orchestrator import DAG, task
from orchestrator.operators import EmptyOperator


"""


def dag_file(dag_id: str, *body: str, settings: str = "schedule=None") -> str:
    """A DAG file; the ``with`` stands on line 5 and the body from line 6 on."""
    return HEAD + f"with DAG({dag_id!r}, {settings}):\n" + "".join(f"    {line}\n" for line in body)


GOOD = dag_file("good", "EmptyOperator(task_id='only')")
A, B = "a = EmptyOperator(task_id='a')", "b = EmptyOperator(task_id='b')"
# The file's name, its content, the line that is at fault (None where it is the whole file), and words of the sentence.
BAD: list[tuple[str, str, int | None, str]] = [
    ("syntax.py", HEAD + "with DAG(\n", 5, "never closed"),
    ("missing_module.py", HEAD + "import no_such_module_anywhere\n", 5, "no_such_module_anywhere"),
    ("raises.py", HEAD + "raise RuntimeError('no luck today')\n", 5, "no luck today"),
    ("loops.py", HEAD + "while True:\n    pass\n", None, "2 s"),
    ("sleeps.py", HEAD + "import time\ntime.sleep(600)\n", None, "2 s"),
    ("latin.py", HEAD + "# \xfc\n", 5, "UTF-8"),
    ("enormous.py", HEAD + "#" * 3_000_000, None, "bytes"),
    ("crash.py", HEAD + "import os\nos.abort()\n", None, ""),
    ("twice.py", dag_file("twice", A, A), 7, "'a'"),
    ("circle.py", dag_file("circle", A, B, "a >> b >> a"), None, "a >> b >> a"),
    ("cron.py", dag_file("cron", A, settings="schedule='61 * * * *'"), 5, "61"),
    ("rule.py", dag_file("rule", "EmptyOperator(task_id='a', trigger_rule='all_sucess')"), 6, "all_success"),
    ("upstream.py", dag_file("upstream", B, "b.upstream_task_ids.add('nowhere')"), 6, "'nowhere'"),
    ("unknown_setting.py", dag_file("unknown_setting", A, settings="shedule='@daily'"), 5, "'schedule'"),
    ("exits.py", HEAD + "import os\nos._exit(3)\n", None, "exit status 3"),
    ("path_id.py", dag_file("../../etc/passwd", A), 5, "not allowed"),
    ("setting.py", dag_file("setting", "EmptyOperator(task_id='a', retires=3)"), 6, "retries"),
]


@pytest.fixture(scope="module")
def crowd(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A home with every bad file and one good one, running."""
    folder = tmp_path_factory.mktemp("crowd")
    with LiveHome(folder, settings={"core.dagbag_import_timeout": 2}) as home:
        for name, content, _, _ in BAD:
            (home.dags / name).write_bytes(content.encode("latin-1"))
        home.write_dag("good.py", GOOD)
        home.start()
        home.wait_for("every file is dealt with", lambda: len(report(home)) == len(BAD) + 1)
        yield home


def report(home: LiveHome) -> list[dict[str, Any]]:
    done = home.run("dags", "report", "-o", "json")
    return msgspec.json.decode(done.stdout) if done.returncode == 0 else []


def errors(home: LiveHome) -> dict[str, dict[str, Any]]:
    return {Path(error["file"]).name: error for error in home.ask("dags", "list-import-errors")}


@pytest.mark.parametrize(("name", "line", "words"), [(name, line, words) for name, _, line, words in BAD])
def test_a_bad_file_is_listed_with_its_line_and_one_sentence(
    crowd: LiveHome, name: str, line: int | None, words: str
) -> None:
    error = errors(crowd)[name]
    assert words in error["error"]
    assert "Traceback" not in error["error"]
    assert "\n" not in error["error"].strip()
    if line is not None:
        assert error["line"] == line


def test_among_bad_files_the_good_one_runs(crowd: LiveHome) -> None:
    assert {dag["dag_id"] for dag in crowd.ask("dags", "list")} == {"good"}
    assert crowd.run("dags", "trigger", "good", "--wait").returncode == 0


def test_a_dag_id_that_two_files_claim_is_an_error_of_the_second_and_the_first_stays(home: LiveHome) -> None:
    home.write_dag("a.py", GOOD)
    home.start()
    home.wait_for("the first is listed", lambda: home.lists("good"))
    home.write_dag("b.py", GOOD)
    found = home.wait_for("the second is refused", lambda: errors(home).get("b.py"))
    assert "'good'" in found["error"]
    assert home.ask("dags", "details", "good")["file"] == "a.py"


def test_a_file_that_breaks_keeps_its_dag_and_is_mended_by_the_next_save(home: LiveHome) -> None:
    home.write_dag("good.py", GOOD)
    home.start()
    home.wait_for("it is listed", lambda: home.lists("good"))
    home.write_dag("good.py", "raise RuntimeError('oh')\n" + GOOD)
    home.wait_for("the error is shown", lambda: "good.py" in errors(home))
    assert home.run("dags", "trigger", "good", "--wait").returncode == 0
    home.write_dag("good.py", GOOD)
    home.wait_for("the error is gone", lambda: not errors(home))


@pytest.mark.parametrize("conf", ["{", "[1]", "42", '{"a": }'])
def test_conf_that_is_no_json_object_is_refused_in_one_line(crowd: LiveHome, conf: str) -> None:
    done = crowd.run("dags", "trigger", "good", "--conf", conf)
    assert done.returncode in (1, 2)
    assert "JSON" in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_second_scheduler_is_refused_in_one_line_and_the_first_goes_on(crowd: LiveHome) -> None:
    second = crowd.run("scheduler")
    assert second.returncode == 1
    assert len(second.stderr.strip().splitlines()) == 1
    assert "Traceback" not in second.stderr
    assert crowd.run("dags", "trigger", "good", "--wait").returncode == 0


def test_a_damaged_database_is_named_in_one_line_and_left_as_it_is(home: LiveHome) -> None:
    database = home.folder / "orchestrator.db"
    database.write_bytes(b"this is no database, whatever its name says" * 100)
    for command in (("standalone",), ("dags", "list")):
        done = home.run(*command)
        assert done.returncode == 1
        assert "orchestrator.db" in done.stderr
        assert "Traceback" not in done.stderr
    assert database.read_bytes() == b"this is no database, whatever its name says" * 100


LARGE = dag_file(
    "large",
    "@task",
    "def make():",
    "    return 'x' * 50_000_000",
    "@task",
    "def measure(text):",
    "    return len(text)",
    "@task",
    "def shout():",
    "    for _ in range(2_000):",
    "        print('y' * 100_000)",
    "measure(make())",
    "shout()",
)


def test_a_result_of_fifty_megabytes_and_a_flood_of_output_pass_through(home: LiveHome) -> None:
    home.write_dag("large.py", LARGE)
    home.start()
    home.wait_for("it is listed", lambda: home.lists("large"))
    done = home.run("dags", "trigger", "large", "--run-id", "one", "--wait", timeout=90)
    assert done.returncode == 0, done.stderr
    assert home.ask("tasks", "result", "large", "measure", "one") == 50_000_000
    assert (home.folder / "orchestrator.db").stat().st_size < 5_000_000
    logs = sum(file.stat().st_size for file in (home.folder / "logs").rglob("*") if file.is_file())
    assert logs < 70_000_000
