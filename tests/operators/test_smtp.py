"""Mail: through a real server of this host, from operators, notifiers and the settings of tasks."""

import json
import socketserver
import threading
from collections.abc import Iterator
from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

from orchestrator import DAG, task
from orchestrator.authoring.alerts import MailAlert
from orchestrator.authoring.callbacks import callbacks_of
from orchestrator.authoring.context import DagRun, TaskInstance
from orchestrator.authoring.runtime import Context
from orchestrator.authoring.vault import EnvironmentVault, keep_vault
from orchestrator.exceptions import AirflowException, DagError, UsageError
from orchestrator.names import CallbackKind, RunType, TaskState
from orchestrator.notifiers.smtp import SmtpNotifier
from orchestrator.operators.empty import EmptyOperator
from orchestrator.operators.smtp import EmailOperator


class Mail(socketserver.StreamRequestHandler):
    """Takes mail to everybody but nobody@, and keeps it with those that it is for."""

    def handle(self) -> None:
        self.wfile.write(b"220 here\r\n")
        receivers: list[str] = []
        while line := self.rfile.readline().decode().strip():
            word = line.split(maxsplit=1)[0].upper()
            if word == "RCPT" and "nobody@" in line:
                self.wfile.write(b"550 unknown\r\n")
                continue
            receivers += [line.partition("<")[2].rstrip(">")] if word == "RCPT" else []
            if word == "DATA":
                self.wfile.write(b"354 go\r\n")
                lines = []
                while (part := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    lines.append(part)
                self.server.letters.append((receivers, message_from_string("\n".join(lines))))  # type: ignore[attr-defined]
            self.wfile.write(b"221 bye\r\n" if word == "QUIT" else b"250 ok\r\n")


Letters = list[tuple[list[str], Message]]


@pytest.fixture
def letters(monkeypatch: pytest.MonkeyPatch) -> Iterator[Letters]:
    """What has arrived at the server of smtp_default."""
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mail) as server:
        server.letters = []  # type: ignore[attr-defined]
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=[0.02], daemon=True).start()
        connection = {
            "conn_type": "smtp",
            "host": "127.0.0.1",
            "port": server.server_address[1],
            "extra": {"from_email": "a@b.c", "disable_ssl": True, "disable_tls": True, "timeout": 5},
        }
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_DEFAULT", json.dumps(connection))
        before = keep_vault(EnvironmentVault())
        yield server.letters  # type: ignore[attr-defined]
        keep_vault(before)
        server.shutdown()


def html(letter: Message) -> str:
    part = next(part for part in letter.walk() if part.get_content_type() == "text/html")
    return part.get_payload(decode=True).decode()  # type: ignore[union-attr]


def test_an_operator_sends_what_its_templates_say_with_files(run, letters: Letters, tmp_path: Path) -> None:
    (tmp_path / "report.csv").write_text("a,b\n")
    with DAG("d") as dag:
        EmailOperator(
            task_id="t",
            to=["x@y.z", "v@w.z"],
            cc="c@y.z",
            bcc="secret@y.z",
            subject="Ünits of {{ ds }}",
            html_content="<b>{{ dag.dag_id }}</b>",
            files=[str(tmp_path / "report.csv")],
            custom_headers={"X-Reason": "test"},
        )
    run(dag, "t")
    ((receivers, letter),) = letters
    assert sorted(receivers) == ["c@y.z", "secret@y.z", "v@w.z", "x@y.z"]
    assert (letter["To"], letter["Cc"], letter["Bcc"], letter["From"]) == ("x@y.z, v@w.z", "c@y.z", None, "a@b.c")
    assert letter["X-Reason"] == "test"
    assert html(letter).strip() == "<b>d</b>"
    assert [part.get_filename() for part in letter.walk() if part.get_filename()] == ["report.csv"]


def test_what_the_server_does_not_take_fails_the_task(run, letters: Letters) -> None:
    with DAG("d") as dag:
        EmailOperator(task_id="t", to="nobody@y.z", subject="s", html_content="h")
        EmailOperator(task_id="gone", to="x@y.z", subject="s", html_content="h", files=["/no/such/file"])
    with pytest.raises(AirflowException, match="did not take the mail"):
        run(dag, "t")
    with pytest.raises(UsageError, match="/no/such/file cannot be attached: No such file"):
        run(dag, "gone")
    assert letters == []


def ended(dag: DAG, task_id: str, state: TaskState) -> Context:
    run = DagRun("d", "one", "u", RunType.MANUAL, None, None, None, None, {})
    instance = TaskInstance(dag.get_task(task_id), run, -1, 1, 0, state=state)
    return Context(dag=dag, dag_run=run, run_id="one", task=instance.task, ti=instance, exception=KeyError("<till>"))


def test_a_notifier_says_by_itself_what_it_is_about(letters: Letters) -> None:
    with DAG("d") as dag:
        EmptyOperator(task_id="t")
    SmtpNotifier(to="{{ ti.task_id }}@y.z")(ended(dag, "t", TaskState.FAILED))
    ((receivers, letter),) = letters
    assert receivers == ["t@y.z"]
    assert letter["Subject"] == "DAG d, task t: failed, run one"
    assert "&lt;till&gt;" in html(letter)


def test_a_task_with_an_address_mails_when_it_fails_and_is_tried_again(letters: Letters) -> None:
    with DAG("d", default_args={"email": "x@y.z;v@w.z", "email_on_retry": False}) as dag:
        task(task_id="t")(lambda: 1)()
        quiet = EmptyOperator(task_id="quiet", email_on_failure=False)
    made = dag.get_task("t")
    (alert,) = callbacks_of(made, CallbackKind.FAILURE)
    assert isinstance(alert, MailAlert)
    assert [callbacks_of(made, kind) for kind in (CallbackKind.RETRY, CallbackKind.SUCCESS)] == [(), ()]
    assert callbacks_of(quiet, CallbackKind.FAILURE) == ()
    alert(ended(dag, "t", TaskState.FAILED))
    assert sorted(letters[0][0]) == ["v@w.z", "x@y.z"]


@pytest.mark.parametrize("given", [3, ["x@y.z", None], {"a@b.c": 1}])
def test_an_address_that_is_none_is_refused(given: object) -> None:
    with DAG("d"), pytest.raises(DagError, match="email must be an e-mail address, or a list of them"):
        EmptyOperator(task_id="t", email=given)  # type: ignore[arg-type]
