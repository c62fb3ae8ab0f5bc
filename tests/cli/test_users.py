"""``orchestrator users``, ``tokens`` and ``audit``."""

import io
import os
import pty
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from orchestrator.assembly.accounts import make_accounts
from orchestrator.assembly.passwords import Passwords
from orchestrator.config import load_config
from orchestrator.storage.database import reading, writing
from orchestrator.storage.tables import audit, metadata
from tests.cli.homes import FilledHome, Said, run_command
from tests.cli.test_completion import completed

GOOD = "correct horse battery"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hashes that cost little."""
    cheap = Passwords.__init__.__kwdefaults__ | {"memory": 64, "passes": 1}
    monkeypatch.setattr(Passwords.__init__, "__kwdefaults__", cheap)


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch):
    """Runs a command with that text on its standard input."""

    def run(text: str, *words: str) -> Said:
        monkeypatch.setattr(sys, "stdin", io.StringIO(text))
        return run_command(*words)

    return run


@pytest.fixture
def ada(home: FilledHome, typed) -> FilledHome:
    assert typed(f"{GOOD}\n", "users", "create", "Ada", "-r", "operator:etl_*", "--password-stdin").status == 0
    return home


def let_in(home: FilledHome, name: str, password: str) -> bool:
    accounts = make_accounts(load_config({"ORCHESTRATOR_HOME": str(home.folder)}, home.folder), home.engine)
    return accounts.sign_in.require_password(name, password, "192.0.2.1").name == name


def test_a_user_is_created_listed_and_deleted(ada: FilledHome) -> None:
    (row,) = run_command("users", "list", "-o", "json").json
    assert (row["username"], row["roles"], row["is_active"], row["has_password"]) == (
        "ada",
        ["operator:etl_*"],
        True,
        True,
    )
    assert let_in(ada, "ada", GOOD)
    assert run_command("users", "delete", "ada", "-y").status == 0
    assert "There are no users." in run_command("users", "list").err


def test_a_user_may_be_made_without_a_password(home: FilledHome) -> None:
    made = run_command("users", "create", "ada", "--no-password", "-r", "viewer", "-r", "admin", "-o", "json").json
    assert (made["has_password"], sorted(made["roles"])) == (False, ["admin", "viewer"])


def test_a_password_is_asked_for_twice_at_a_terminal_and_not_shown(home: FilledHome) -> None:
    terminal, side = pty.openpty()
    words = [sys.executable, "-m", "orchestrator", "users", "create", "ada"]
    program = subprocess.Popen(words, stdin=side, stdout=side, stderr=side, env=os.environ, start_new_session=True)
    os.close(side)
    seen = ""
    for prompt in ("Password: ", "The same again: "):
        while not seen.endswith(prompt):
            seen += os.read(terminal, 4096).decode()
        os.write(terminal, f"{GOOD}\n".encode())
    try:
        while chunk := os.read(terminal, 4096):
            seen += chunk.decode()
    except OSError:  # the other side is closed
        pass
    assert program.wait(timeout=30) == 0, seen
    os.close(terminal)
    assert GOOD not in seen
    assert let_in(home, "ada", GOOD)


def test_where_nobody_can_be_asked_the_way_out_is_named(home: FilledHome, typed) -> None:
    said = typed("", "users", "create", "ada")
    assert (said.status, "--password-stdin" in said.err) == (2, True)


def test_a_password_is_no_argument(home: FilledHome) -> None:
    assert run_command("users", "create", "ada", GOOD).status == 2
    assert run_command("users", "passwd", "ada", "--password", GOOD).status == 2


@pytest.mark.parametrize(
    ("words", "needle"),
    [
        (("users", "create", "a b"), "no name of a user"),
        (("users", "create", "bob", "-r", "root"), "'root' is no role"),
        (("users", "create", "bob", "-r", "user:[x]"), "no pattern of DAG ids"),
        (("users", "create", "ada"), "there is a user 'ada' already"),
        (("users", "create", "bob", "--no-password"), "has no --password-stdin"),
        (("users", "delete", "adda", "-y"), "no user 'adda'; did you mean 'ada'?"),
        (("users", "passwd", "adda"), "no user 'adda'"),
        (("users", "grant", "adda", "user"), "no user 'adda'"),
        (("users", "revoke", "ada", "admin"), "was not granted 'admin', but operator:etl_*"),
        (("tokens", "create", "adda", "ci"), "no user 'adda'"),
        (("tokens", "create", "ada", ""), "a token's name"),
        (("tokens", "create", "ada", "ci", "--expires-in", "soon"), "no time to last"),
        (("tokens", "create", "ada", "ci", "--expires-in", "9999w"), "at most ten years"),
        (("tokens", "create", "ada", "ci", "-s", "all"), "'all' is no role"),
        (("tokens", "revoke", "ada", "ci", "-y"), "'ada' has no token 'ci'"),
        (("tokens", "list", "-u", "adda"), "no user 'adda'"),
        (("audit", "verify", "--seal", "x"), "is no seal"),
        (("audit", "list", "--since", "soon"), "'soon' is no date"),
    ],
)
def test_what_makes_no_sense_is_told_in_one_sentence(ada: FilledHome, typed, words, needle) -> None:
    stdin = ("--password-stdin",) if words[:2] in {("users", "create"), ("users", "passwd")} else ()
    said = typed(f"{GOOD}\n", *words, *stdin)
    assert said.status in (1, 2)
    assert needle in said.err
    assert "defect" not in said.err
    assert [user["username"] for user in run_command("users", "list", "-o", "json").json] == ["ada"]


def test_a_short_password_is_refused(home: FilledHome, typed) -> None:
    said = typed("short\n", "users", "create", "ada", "--password-stdin")
    assert (said.status, "a password has 12 to 1024 characters; this one has 5" in said.err) == (2, True)


def test_roles_are_granted_and_revoked(ada: FilledHome) -> None:
    assert run_command("users", "grant", "ada", "viewer", "-o", "json").json["roles"] == ["viewer", "operator:etl_*"]
    assert run_command("users", "revoke", "ada", "operator:etl_*", "-o", "json").json["roles"] == ["viewer"]


def test_a_user_is_kept_out_and_let_in_again_with_a_new_password(ada: FilledHome, typed) -> None:
    assert "Disabled ada." in run_command("users", "disable", "ada").out
    assert "is disabled already" in run_command("users", "disable", "ada").out
    assert "Enabled ada." in run_command("users", "enable", "ada").out
    assert typed("another good password\r\n", "users", "passwd", "ada", "--password-stdin").status == 0
    assert let_in(ada, "ada", "another good password")
    assert "Ended 0 sessions of ada." in run_command("users", "sign-out", "ada").out


def test_a_token_is_shown_once_and_lets_in(ada: FilledHome) -> None:
    made = run_command("tokens", "create", "ada", "ci", "-s", "user:etl_1", "--expires-in", "30d", "-o", "json").json
    accounts = make_accounts(load_config({"ORCHESTRATOR_HOME": str(ada.folder)}, ada.folder), ada.engine)
    assert accounts.sign_in.with_token(made["token"]).name == "ada"
    left = datetime.fromisoformat(made["expires_at"]) - datetime.now(UTC)
    assert timedelta(days=29) < left < timedelta(days=30)
    (row,) = run_command("tokens", "list", "--user", "ada", "-o", "json").json
    assert (row["name"], row["scopes"], "token" in row) == ("ci", ["user:etl_1"], False)
    assert (
        run_command("tokens", "create", "ada", "old", "--expires-in", "never", "-o", "json").json["expires_at"] is None
    )
    assert run_command("tokens", "revoke", "ada", "ci", "-y").status == 0
    assert [row["name"] for row in run_command("tokens", "list", "-o", "json").json] == ["old"]


def test_names_are_completed(ada: FilledHome) -> None:
    run_command("tokens", "create", "ada", "ci")
    assert completed("users", "delete", "a") == ["ada"]
    assert completed("tokens", "revoke", "ada", "c") == ["ci"]


def test_the_audit_log_tells_who_did_what(ada: FilledHome) -> None:
    run_command("pools", "set", "warehouse", "4")
    run_command("users", "grant", "ada", "viewer")
    newest = run_command("audit", "list", "-o", "json").json
    assert [line["action"] for line in newest] == ["grant_role", "set_pool", "create_user"]
    assert {line["via"] for line in newest} == {"cli"}
    assert newest[0]["details"] == {"user": "ada", "grant": "viewer"}
    me = newest[0]["who"]
    assert len(run_command("audit", "list", "--user", me, "--action", "set_pool", "-o", "json").json) == 1
    assert run_command("audit", "list", "--before-id", "2", "-o", "json").json[0]["id"] == 1
    assert "There are no such lines." in run_command("audit", "list", "--until", "2020-01-01").err


def test_the_audit_log_is_verified_and_a_break_is_an_error(ada: FilledHome) -> None:
    run_command("pools", "set", "warehouse", "4")
    assert "The audit log holds: 2 lines. Its seal is 2:" in run_command("audit", "verify").out
    report = run_command("audit", "verify", "-o", "json").json
    assert (report["lines"], report["holds"], report["breaks"]) == (2, True, [])
    assert run_command("audit", "verify", "--seal", report["seal"]).status == 0
    with writing(ada.engine) as connection:
        connection.execute(update(audit).where(audit.c.id == 1).values(by="cli:eve"))
    said = run_command("audit", "verify", "--seal", report["seal"])
    assert (said.status, "line 1 was changed after it was written" in said.err) == (1, True)


def test_an_empty_audit_log_holds_and_its_seal_is_taken_back(home: FilledHome) -> None:
    seal = run_command("audit", "verify", "-o", "json").json["seal"]
    assert run_command("audit", "verify", "--seal", seal).status == 0


def test_no_secret_is_printed_or_kept_but_where_it_is_made(ada: FilledHome, typed, tmp_path: Path) -> None:
    token = run_command("tokens", "create", "ada", "ci", "-o", "json").json["token"]
    said = [run_command(*words) for words in (("users", "list", "-o", "yaml"), ("tokens", "list", "-o", "plain"))]
    said += [run_command("audit", "list", "-o", output) for output in ("table", "json", "yaml", "plain")]
    with reading(ada.engine) as connection:
        kept = "".join(str(connection.execute(select(table)).all()) for table in metadata.tables.values())
    shown = kept + "".join(one.out + one.err for one in said)
    assert [secret for secret in (GOOD, token) if secret in shown] == []
    assert "$argon2id" not in "".join(one.out + one.err for one in said)
