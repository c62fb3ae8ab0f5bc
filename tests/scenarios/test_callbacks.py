"""Callbacks and notifiers in a real home: workers, logs, time-outs, a web hook, a mail server, and kills."""

import json
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from orchestrator.testing.home import LiveHome

SECRET = "planted-hook-token-0815"

ALARM = """
import os
import time

from orchestrator import DAG, AirflowSkipException, BaseNotifier, task
from orchestrator.notifiers.apprise import AppriseNotifier


def tell(context):
    ti = context["ti"]
    words = [ti.task_id, ti.map_index, ti.state, ti.try_number, repr(context["exception"]), context.get("reason")]
    print("told of", *words, context["task"].task_id, context["dag_run"].run_id, context["idempotency_key"])


def tell_of_run(context):
    print("run", context["dag_run"].state, context["reason"], context["ti"].task_id, context["ti"].state)


def raises(context):
    raise LookupError("no pager")


def dies(context):
    os.kill(os.getpid(), 9)


def hangs(context):
    time.sleep(1000)


def pulls(context):
    print("pulled", context["ti"].xcom_pull(task_ids="fine"), context["ti"].xcom_pull())


async def awaits(context):
    print("awaited", context["ti"].task_id)


class Shout(BaseNotifier):
    template_fields = ("words",)

    def __init__(self, words):
        super().__init__()
        self.words = words

    def notify(self, context):
        print("SHOUT", self.words)


hook = AppriseNotifier(
    urls=[os.environ["HOOK"]],
    title="{{ ti.task_id }} failed",
    body="{{ exception }} in {{ dag_run.run_id }}",
    notify_type="failure",
)
shout = Shout("{{ ti.state }}!")
mail = AppriseNotifier(apprise_conn_id="post", title="{{ dag.dag_id }}", body="{{ reason }}")

with DAG("alarm", on_failure_callback=[tell_of_run, mail]):

    @task(on_success_callback=[pulls, awaits], on_execute_callback=raises)
    def fine():
        return 42

    @task(retries=1, retry_delay=0.1, on_retry_callback=tell, on_failure_callback=[tell, hook, shout])
    def breaks():
        raise KeyError("till")

    @task(on_skipped_callback=tell)
    def skips():
        raise AirflowSkipException("closed")

    @task(on_success_callback=[raises, tell])
    def unlucky():
        pass

    @task(on_success_callback=dies)
    def deadly():
        pass

    @task(on_success_callback=hangs)
    def slow():
        pass

    @task(on_failure_callback=tell)
    def each(n):
        if n == 1:
            raise ValueError(n)

    fine(), breaks(), skips(), unlucky(), deadly(), slow(), each.expand(n=[0, 1])
"""


class Mail(socketserver.StreamRequestHandler):
    """As much of SMTP as a client asks for."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        letter: list[str] = []
        while line := self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n"):
            word = line[:4].upper()
            if word == "DATA":
                self.wfile.write(b"354 go on\r\n")
                while (line := self.rfile.readline().decode("utf-8", "replace").rstrip("\r\n")) != ".":
                    letter.append(line)
                self.server.letters.append("\n".join(letter))  # type: ignore[attr-defined]
            if word == "QUIT":
                self.wfile.write(b"221 bye\r\n")
                return
            self.wfile.write(b"250 ok\r\n")


class Hook(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, json.loads(body)))  # type: ignore[attr-defined]
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing is printed."""


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[ThreadingHTTPServer, socketserver.ThreadingTCPServer]]:
    with (
        ThreadingHTTPServer(("127.0.0.1", 0), Hook) as web,
        socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as post,
    ):
        web.posts, post.letters = [], []  # type: ignore[attr-defined]
        post.daemon_threads = True
        for server in (web, post):
            threading.Thread(target=server.serve_forever, args=[0.05], daemon=True).start()
        yield web, post
        web.shutdown()
        post.shutdown()


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, servers: Any) -> Iterator[LiveHome]:
    """A home in which the alarm has run and all callbacks have ended."""
    web, post = servers
    hook = f"json://user:{SECRET}@127.0.0.1:{web.server_address[1]}/hook"
    letter = f"mailto://127.0.0.1:{post.server_address[1]}?from=a@example.com&to=b@example.com&mode=insecure"
    settings = {"callbacks.timeout": 2, "core.max_lost_attempts": 2}
    folder = tmp_path_factory.mktemp("callbacks")
    with LiveHome(folder, settings=settings, environment={"HOOK": hook}) as home:
        extra = json.dumps({"config": [{"path": letter}]})
        assert home.run("db", "migrate").returncode == 0
        added = home.run("connections", "add", "post", "--conn-type", "apprise", "--conn-extra", extra)
        assert added.returncode == 0, added.stderr
        home.write_dag("alarm.py", ALARM)
        home.start()
        home.wait_for("it is listed", lambda: home.lists("alarm"))
        home.run("dags", "trigger", "alarm", "--run-id", "one", "--wait", timeout=100)
        home.wait_for("all callbacks have ended", lambda: shown(home)["callbacks"]["open"] == 0, timeout=60)
        yield home


def shown(home: LiveHome) -> Any:
    return home.ask("runs", "show", "alarm", "one")


def log(home: LiveHome, task_id: str, kind: str, *more: str) -> str:
    done = home.run("tasks", "logs", "alarm", task_id, "one", "--callback", kind, *more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def ended(home: LiveHome, task_id: str, kind: str) -> list[Any]:
    history = home.ask("runs", "history", "alarm", "one")
    return [f for f in history if f["type"] == "CallbackEnded" and (f.get("task_id"), f["kind"]) == (task_id, kind)]


def test_callbacks_are_told_how_the_attempt_ended(home: LiveHome) -> None:
    first, last = log(home, "breaks", "on_retry"), log(home, "breaks", "on_failure")
    assert "told of breaks -1 up_for_retry 1 KeyError('till') None breaks one" in first
    assert "told of breaks -1 failed 2 KeyError('till') None breaks one" in last
    assert "told of skips -1 skipped 1 None closed skips one" in log(home, "skips", "on_skipped")
    assert "told of each 1 failed 1 ValueError('1') None each one" in log(
        home, "each", "on_failure", "--map-index", "1"
    )


def test_a_callback_reads_what_the_task_and_others_returned(home: LiveHome) -> None:
    said = log(home, "fine", "on_success")
    assert "pulled 42 42" in said
    assert "awaited fine" in said


def test_what_on_execute_raises_is_logged_and_fails_nothing(home: LiveHome) -> None:
    assert {task["task_id"]: task["state"] for task in shown(home)["tasks"]}["fine"] == "success"
    said = home.run("tasks", "logs", "alarm", "fine", "one").stdout
    assert "alarm.py:20: on_execute_callback raised LookupError: no pager" in said


def test_a_callback_that_raises_is_recorded_with_its_place_and_the_others_are_called(home: LiveHome) -> None:
    (fact,) = ended(home, "unlucky", "on_success")
    assert fact["failure"]["where"] == "alarm.py:20"
    said = log(home, "unlucky", "on_success")
    assert "alarm.py:20: on_success_callback 1 of 2 raised LookupError: no pager" in said
    assert "told of unlucky" in said
    why = home.run("runs", "why", "alarm", "one", "unlucky").stdout
    assert "unlucky's on_success_callback failed after attempt 1, which changes no state" in why
    assert shown(home)["callbacks"]["failed"] == 3
    assert "Callbacks that failed" in home.run("runs", "show", "alarm", "one").stdout


def test_one_that_hangs_is_ended_and_one_that_kills_its_worker_is_given_up(home: LiveHome) -> None:
    (hung,), (dead,) = ended(home, "slow", "on_success"), ended(home, "deadly", "on_success")
    assert "it ran longer than [callbacks] timeout of 0:00:02" in hung["failure"]["message"]
    assert "lost 2 times" in dead["failure"]["message"]
    states = {task["task_id"]: task["state"] for task in shown(home)["tasks"] if task["map_index"] in (None, -1)}
    assert (states["slow"], states["deadly"]) == ("success", "success")


def test_a_notifier_renders_its_fields_and_the_message_arrives(home: LiveHome, servers: Any) -> None:
    ((path, message),) = servers[0].posts
    assert path == "/hook"
    assert (message["title"], message["message"], message["type"]) == ("breaks failed", "'till' in one", "failure")
    assert "SHOUT failed!" in log(home, "breaks", "on_failure")


def test_the_callbacks_of_the_run_are_told_of_its_end_and_mail_is_sent(home: LiveHome, servers: Any) -> None:
    said = home.run("runs", "logs", "alarm", "one", "--callback", "on_failure").stdout
    assert "run failed task_failure" in said
    (letter,) = servers[1].letters
    assert "Subject: alarm" in letter
    assert "task_failure" in letter


def test_no_secret_of_a_url_is_in_any_log_or_history(home: LiveHome) -> None:
    files = list((home.folder / "logs").rglob("*.log"))
    assert files
    assert [path.name for path in files if SECRET.encode() in path.read_bytes()] == []
    assert SECRET not in home.run("runs", "history", "alarm", "one", "-o", "json").stdout


def test_the_log_of_a_callback_that_was_not_called_is_refused_by_name(home: LiveHome) -> None:
    done = home.run("tasks", "logs", "alarm", "fine", "one", "--callback", "on_failure")
    assert done.returncode == 1
    assert "no on_failure_callback of task 'fine' was called in run 'one'" in done.stderr
