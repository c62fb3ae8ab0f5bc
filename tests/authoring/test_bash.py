"""BashOperator: what runs, what it prints, how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orchestrator import DAG, AirflowSkipException, task
from orchestrator.authoring.context import build_context
from orchestrator.authoring.operators.commands import LONGEST_LINE, LastLine
from orchestrator.exceptions import CommandError, DagError, UsageError
from orchestrator.operators import BashOperator, EmptyOperator


@pytest.fixture
def bash(run):
    """Run one command and give back its result."""

    def bash(command, *, results=None, **settings):
        with DAG("d") as dag:
            EmptyOperator(task_id="before")
            BashOperator(task_id="b", bash_command=command, **settings)
        return run(dag, "b", results=results)

    return bash


@pytest.mark.parametrize(
    ("command", "result"),
    [
        ("echo hello", "hello"),
        ("echo one; echo two", "two"),
        ("printf 'no newline'", "no newline"),
        ("echo; echo", ""),
        ("true", ""),
        ("echo out; echo err >&2", "err"),
        ("echo {{ ds }} $((1 + 1))", "2026-01-31 2"),
        (["echo", "{{ ds }}", "$HOME; not a shell"], "2026-01-31 $HOME; not a shell"),
        (["printf", "%s", 7], "7"),
        ("printf 'a\\377b'", "a\\xffb"),
        ("x=$(cat); echo \"stdin: '$x'\"", "stdin: ''"),
    ],
)
def test_the_last_line_is_the_result(bash, command, result):
    assert bash(command) == result


def test_the_output_is_passed_on(bash, capsys):
    bash("echo one; echo two >&2; echo three")
    assert capsys.readouterr().out == "one\ntwo\nthree\n"


def test_the_output_is_passed_on_while_the_command_runs(run, tmp_path, monkeypatch):
    seen = threading.Event()
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)

    class Out:
        def write(self, text):
            if "first" in text:
                seen.set()

        def flush(self):
            pass

    monkeypatch.setattr(sys, "stdout", Out())
    opener = threading.Thread(target=lambda: seen.wait(30) and fifo.write_text("go on\n"))
    opener.start()
    with DAG("d") as dag:
        BashOperator(task_id="b", bash_command=f"echo first; cat {fifo}")
    assert run(dag, "b") == "go on"
    opener.join()


def test_a_processor_makes_the_result_of_the_last_line(bash):
    assert bash("echo '[1, 2]'", output_processor=lambda line: line.count(",")) == 1


def test_a_result_is_passed_through_the_environment_and_what_is_no_text_as_json(bash):
    before = {"name": "O'Brien; rm -rf /", "n": 3}
    found = bash('echo "$TEXT $NUMBER $ALL"', append_env=True, env={"TEXT": "{{ ds }}", "NUMBER": 3, "ALL": before})
    assert found == '2026-01-31 3 {"name": "O\'Brien; rm -rf /", "n": 3}'


def test_the_result_of_a_task_may_be_a_value_of_the_environment(run):
    with DAG("d") as dag:
        before = EmptyOperator(task_id="before")
        BashOperator(task_id="b", bash_command='echo "$X"', env={"X": before.output["n"]})
    assert run(dag, "b", results={"before": {"n": 4}}) == "4"


@pytest.mark.parametrize(
    ("settings", "words"),
    [({"bash_command": 3}, "bash_command must be a text for bash"), ({"bash_command": "x", "env": 3}, "env must be a")],
)
def test_a_command_or_environment_of_another_type_is_refused(settings, words):
    with pytest.raises(DagError, match=words):
        BashOperator(task_id="b", **settings)


def test_a_result_that_is_no_command_is_refused(run):
    with DAG("d") as dag:
        before = EmptyOperator(task_id="before")
        BashOperator(task_id="b", bash_command=before.output)
    assert run(dag, "b", results={"before": ["echo", "x"]}) == "x"
    with pytest.raises(DagError, match=r"task 'b': bash_command must be a text for bash, or a list .*, not 7"):
        run(dag, "b", results={"before": 7})


def test_env_replaces_the_environment_unless_it_is_appended(bash, monkeypatch):
    monkeypatch.setenv("FROM_OUTSIDE", "outside")
    command = 'echo "${FROM_OUTSIDE-none} ${MINE-none}"'
    assert bash(command) == "outside none"
    assert bash(command, env={"MINE": "1"}) == "none 1"
    assert bash(command, env={"MINE": "1"}, append_env=True) == "outside 1"


def test_the_command_is_told_whose_attempt_it_is(bash):
    names = "$AIRFLOW_CTX_DAG_ID $AIRFLOW_CTX_TASK_ID $AIRFLOW_CTX_TRY_NUMBER $ORCHESTRATOR_IDEMPOTENCY_KEY"
    assert bash(f"echo {names}") == "d b 1 uid/b/-1/1"


def test_without_cwd_it_runs_in_a_folder_that_goes_away(bash, tmp_path):
    folder = Path(bash("touch x; pwd"))
    assert folder != Path.cwd()
    assert not folder.exists()
    assert bash("pwd", cwd=str(tmp_path)) == str(tmp_path)


def test_a_cwd_that_is_no_folder_is_refused(bash, tmp_path):
    with pytest.raises(CommandError, match="is no folder"):
        bash("pwd", cwd=str(tmp_path / "nowhere"))


@pytest.mark.parametrize(
    ("settings", "code", "error"),
    [
        ({}, 99, AirflowSkipException),
        ({"skip_on_exit_code": 7}, 7, AirflowSkipException),
        ({"skip_on_exit_code": [7, 8]}, 8, AirflowSkipException),
        ({"skip_on_exit_code": 7}, 99, CommandError),
        ({"skip_on_exit_code": None}, 99, CommandError),
        ({}, 1, CommandError),
    ],
)
def test_the_exit_code_decides_how_the_task_ends(bash, settings, code, error):
    with pytest.raises(error, match=f"exit code {code}"):
        bash(f"exit {code}", **settings)


def test_a_failure_carries_its_exit_code(bash):
    with pytest.raises(CommandError, match="the command failed with exit code 3") as caught:
        bash("exit 3")
    assert caught.value.exit_code == 3


def test_a_signal_that_ended_the_command_is_named(bash):
    with pytest.raises(CommandError, match=r"ended by signal 9 \(Killed\)") as caught:
        bash("kill -9 $$")
    assert caught.value.exit_code == -9


def test_a_program_that_is_not_there_is_named(bash):
    with pytest.raises(CommandError, match="'no-such-program' cannot be started: No such file"):
        bash(["no-such-program", "x"])


def test_a_script_file_is_rendered_and_run_and_a_space_keeps_it_a_command(run, tmp_path):
    script = tmp_path / "load.sh"
    script.write_text("echo {{ ds }} $0")
    script.chmod(0o755)
    with DAG("d", template_searchpath=str(tmp_path)) as dag:
        BashOperator(task_id="file", bash_command="load.sh")
        BashOperator(task_id="command", bash_command=f"bash {script} ")
        BashOperator(task_id="argv", bash_command=["bash", str(script)])
    assert run(dag, "file").startswith("2026-01-31 ")
    assert run(dag, "command") == f"{{{{ ds }}}} {script}"
    assert run(dag, "argv") == f"{{{{ ds }}}} {script}"


def test_a_command_longer_than_the_system_takes_runs_all_the_same(bash):
    assert bash(f"echo start; : {'x' * 200_000}; echo end") == "end"


def test_a_function_may_say_what_the_command_is(run):
    @task.bash(env={"X": "{{ ds }}"})
    def say(word, ti=None):
        return f'echo {word} $X {{{{ ds }}}} "{ti.task_id}"'

    @task.bash
    def nothing():
        return None

    with DAG("d") as dag:
        say("hello")
        nothing()
    assert run(dag, "say") == "hello 2026-01-31 2026-01-31 say"
    with pytest.raises(UsageError, match="'nothing': its function must return a command, not None"):
        run(dag, "nothing")


# ── ending it ────────────────────────────────────────────────────────────────────────────────────────────


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return status != "Z"


def wait_for(condition, what, seconds=30):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.01)


def started(order, tmp_path, command):
    """A command that runs in a thread, and the outcome that it will have."""
    with DAG("d") as dag:
        made = BashOperator(task_id="b", bash_command=command, cwd=str(tmp_path))
    context = build_context(order(dag, "b"), dag, made)
    ready, outcome = made.prepare(context, {}), []

    def body():
        try:
            outcome.append(ready.execute(context))
        except CommandError as error:
            outcome.append(error)

    thread = threading.Thread(target=body)
    thread.start()
    return ready, thread, outcome


def test_killing_the_task_ends_the_command_and_what_it_started(order, tmp_path):
    ready, thread, outcome = started(order, tmp_path, "sleep 300 & echo $! > pid.new; mv pid.new pid; wait")
    wait_for((tmp_path / "pid").exists, "the command did not start")
    child = int((tmp_path / "pid").read_text())
    ready.on_kill()
    thread.join(30)
    assert outcome[0].exit_code == -signal.SIGTERM
    wait_for(lambda: not alive(child), "the child outlived its command")


def test_a_command_that_ignores_sigterm_is_ended_by_force(order, tmp_path, monkeypatch):
    monkeypatch.setattr("orchestrator.authoring.operators.commands.GRACE", 0.2)
    ready, thread, outcome = started(order, tmp_path, "trap '' TERM; touch pid; while :; do sleep 0.05; done")
    wait_for((tmp_path / "pid").exists, "the command did not start")
    ready.on_kill()
    thread.join(30)
    assert outcome[0].exit_code == -signal.SIGKILL


def test_an_error_that_interrupts_the_body_ends_the_command(tmp_path):
    """A worker's time-out is raised inside the body by a signal."""
    script = """
import os, pathlib, signal, threading, time
from orchestrator.authoring.operators.commands import Command
def late(*_):
    raise TimeoutError
def interrupt():
    while not pathlib.Path("pid").exists():
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGALRM)
signal.signal(signal.SIGALRM, late)
threading.Thread(target=interrupt, daemon=True).start()
try:
    Command(["bash", "-c", "echo $$ > new; mv new pid; exec sleep 300"], cwd=".", env=dict(os.environ)).run("utf-8")
except TimeoutError:
    print("late")
"""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60
    )
    assert found.stdout == "late\n", found.stderr
    assert not alive(int((tmp_path / "pid").read_text()))


def test_killing_a_task_that_has_not_begun_or_has_ended_does_nothing(bash):
    made = BashOperator(task_id="b", bash_command="true")
    made.on_kill()
    assert bash("echo x") == "x"


# ── the last line ────────────────────────────────────────────────────────────────────────────────────────


@given(st.text(alphabet="ab\n", max_size=30), st.lists(st.integers(1, 5), max_size=30))
def test_the_last_line_does_not_depend_on_how_the_output_was_cut(text, sizes):
    line, rest = LastLine(), text
    for size in sizes:
        line.feed(rest[:size])
        rest = rest[size:]
    line.feed(rest)
    assert line.text == ("" if not text else text.splitlines()[-1])


def test_an_endless_line_is_not_kept():
    line = LastLine()
    for _ in range(40):
        line.feed("x" * 65_536)
    assert len(line.text) == LONGEST_LINE
    line.feed("\nshort\n")
    assert line.text == "short"
