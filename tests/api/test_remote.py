"""The command line, asking a server: it says what it says on the machine itself, to whom it may."""

import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

import msgspec
import pytest
import uvicorn
from fastapi import FastAPI

from orchestrator.assembly.calls import PARTS, call_of
from orchestrator.core.events import ActivityCompleted, ActivityScheduled, ActivityStarted
from orchestrator.storage.guard import guard_of
from tests.cli.homes import FilledHome, Said, run_command


@pytest.fixture
def url(app: FastAPI, filled: FilledHome) -> Iterator[str]:
    """Where the home is served, with one run that has charged its card."""
    filled.begin(
        "order_1001",
        "first",
        ActivityScheduled(task_id="charge_card"),
        ActivityStarted(task_id="charge_card", worker="w"),
        ActivityCompleted(task_id="charge_card", result=msgspec.Raw(b'{"receipt":"ch_1"}')),
    )
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    server.should_exit = True
    thread.join()


@pytest.fixture
def elsewhere(url: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine without a home of its own."""
    folder = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(folder))


def ask(url: str, monkeypatch: pytest.MonkeyPatch, role: str, *words: str) -> Said:
    monkeypatch.setenv("ORCHESTRATOR_TOKEN", role)
    return run_command("--url", url, *words)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "words",
    [
        ("dags", "list", "-o", "json"),
        ("dags", "details", "order_1001", "-o", "json"),
        ("dags", "list-runs", "order_1001", "-o", "json"),
        ("runs", "show", "order_1001", "first", "-o", "json"),
        ("runs", "history", "order_1001", "first", "-o", "json"),
        ("runs", "why", "order_1001", "first", "-o", "json"),
        ("tasks", "result", "order_1001", "charge_card"),
        ("tasks", "xcom", "order_1001", "charge_card", "-o", "json"),
        ("tasks", "logs", "order_1001", "charge_card"),
        ("pools", "list", "-o", "json"),
    ],
)
def test_a_command_says_the_same_from_afar(
    url: str, filled: FilledHome, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    far = ask(url, monkeypatch, "viewer", *words)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(filled.folder))
    near = run_command(*words)
    assert (far.status, far.out, far.err) == (0, near.out, near.err)


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    "words",
    [
        ("variables", "list"),
        ("variables", "list", "--show-values", "-o", "json"),
        ("variables", "get", "city"),
        ("variables", "get", "town"),
        ("connections", "list"),
        ("connections", "get", "warehouse", "-o", "json"),
        ("connections", "get", "warehous"),
        ("users", "list", "-o", "json"),
        ("tokens", "list", "-o", "json"),
        ("audit", "list", "-o", "json"),
        ("audit", "verify"),
        ("runs", "query", "order_1001", "first", "status"),
    ],
)
def test_what_is_administered_says_the_same_from_afar(
    url: str, filled: FilledHome, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...]
) -> None:
    assert ask(url, monkeypatch, "operator", "variables", "set", "city", "Oslo", "--description", "where").status == 0
    added = ("warehouse", "--conn-uri", "postgres://etl:hush12345@db/sales")
    assert ask(url, monkeypatch, "operator", "connections", "add", *added).status == 0
    assert ask(url, monkeypatch, "admin", "users", "create", "bob", "--role", "viewer", "--no-password").status == 0
    far = ask(url, monkeypatch, "admin", *words)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(filled.folder))
    assert far == run_command(*words)
    assert "hush12345" not in far.out + far.err


@pytest.mark.usefixtures("elsewhere")
def test_no_secret_is_told_from_afar_nor_taken_for_stars(
    url: str, filled: FilledHome, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ask(url, monkeypatch, "operator", "variables", "set", "api_token", "hush12345")
    ask(url, monkeypatch, "operator", "variables", "set", "shop", '{"password": "hush12345", "port": 1}')
    ask(url, monkeypatch, "operator", "connections", "add", "wh", "--conn-uri", "http://me:hush12345@db?key=hush12345")
    written, variables = tmp_path / "connections.json", tmp_path / "variables.json"
    for words in (
        ("variables", "get", "api_token"),
        ("variables", "export", str(variables)),
        ("connections", "get", "wh", "--show-values"),
        ("connections", "list", "--show-values"),
        ("connections", "export", str(written)),
    ):
        said = ask(url, monkeypatch, "admin", *words)
        assert (said.status, "hush12345" in said.out) == (0, False), words
    assert "hush12345" not in written.read_text() + variables.read_text()
    variables.write_text(variables.read_text().replace('"port": 1', '"port": 2'))
    assert ask(url, monkeypatch, "operator", "variables", "import", str(variables)).status == 0
    refused = ask(url, monkeypatch, "operator", "connections", "import", str(written), "--overwrite")
    assert (refused.status, "stars where a secret was left out" in refused.err) == (2, True)
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(filled.folder))
    assert "hush12345" in run_command("connections", "get", "wh", "--show-values").out
    assert run_command("variables", "get", "api_token").out == "hush12345\n"
    assert run_command("variables", "get", "shop").out == '{"password": "hush12345", "port": 2}\n'


@pytest.mark.usefixtures("elsewhere")
def test_what_no_home_keeps_is_used_by_tasks_and_not_told_from_afar(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_VAR_CITY", "hush12345")
    assert ask(url, monkeypatch, "operator", "variables", "get", "city").out == "***\n"


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("role", "words"),
    [
        ("user", ("variables", "list")),
        ("viewer", ("connections", "get", "x")),
        ("operator", ("users", "list")),
        ("operator", ("audit", "verify")),
        ("foreigner", ("variables", "set", "a", "b")),
    ],
)
def test_who_has_no_right_to_it_is_refused_from_afar(
    url: str, monkeypatch: pytest.MonkeyPatch, role: str, words: tuple[str, ...]
) -> None:
    said = ask(url, monkeypatch, role, *words)
    assert (said.status, f"{role} may not" in said.err or "no right" in said.err) == (1, True), said.err


@pytest.mark.usefixtures("elsewhere")
def test_a_request_from_afar_is_kept_in_the_name_of_who_asks(
    url: str, filled: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ask(url, monkeypatch, "user", "dags", "trigger", "order_1001", "-r", "second").status == 0
    assert filled.reads.run("order_1001", "second").triggered_by == "session:user"
    refused = ask(url, monkeypatch, "viewer", "dags", "trigger", "order_1001", "-r", "third")
    assert (refused.status, "may see the DAG 'order_1001', but not run it" in refused.err) == (1, True)


@pytest.mark.usefixtures("elsewhere")
def test_what_is_forbidden_is_not_there_from_afar_either(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    said = ask(url, monkeypatch, "foreigner", "runs", "show", "order_1001", "first")
    assert (said.status, "there is no DAG 'order_1001'" in said.err) == (1, True)
    assert "did you mean" not in said.err


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("role", "words", "sentence"),
    [
        ("unknown", ("dags", "list"), "does not let this in"),
        ("", ("dags", "list"), "ORCHESTRATOR_TOKEN"),
        ("admin", ("db", "check"), "leave --url"),
        ("admin", ("tasks", "render", "order_1001", "charge_card", "first"), "run it on the machine"),
    ],
)
def test_what_cannot_be_done_from_afar_is_said_in_a_sentence(
    url: str, monkeypatch: pytest.MonkeyPatch, role: str, words: tuple[str, ...], sentence: str
) -> None:
    said = ask(url, monkeypatch, role, *words)
    assert said.status != 0
    assert sentence in said.err
    assert "Traceback" not in said.err


@pytest.mark.usefixtures("elsewhere")
@pytest.mark.parametrize(
    ("url_given", "sentence"), [("http://127.0.0.1:1", "cannot be reached"), ("ftp://example.com", "is no URL")]
)
def test_a_server_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch, url_given: str, sentence: str) -> None:
    said = ask(url_given, monkeypatch, "viewer", "dags", "list")
    assert (said.status != 0, sentence in said.err) == (True, True)


def test_every_question_that_may_be_asked_from_afar_can_be_written_down() -> None:
    questions = [(part, name) for part, (kind, _) in PARTS.items() for name in dir(kind) if _is_asked(kind, name)]
    assert len(questions) > 40
    assert [call_of(part, name) is None for part, name in questions].count(True) == 0


def _is_asked(kind: type, name: str) -> bool:
    return not name.startswith("_") and guard_of(getattr(kind, name)) is not None


def test_nothing_that_is_no_question_is_answered(url: str, monkeypatch: pytest.MonkeyPatch) -> None:

    for path in ("reads/_engine", "reads/nothing", "engine/dispose", "reads/__class__", "reads/facts"):
        connection = HTTPConnection(url.removeprefix("http://"))
        connection.request("POST", f"/api/v2/rpc/{path}", b"{}", {"Authorization": "Bearer admin"})
        assert connection.getresponse().status == 404, path
        connection.close()
