"""``orchestrator variables``."""

import json
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tests.cli.homes import FilledHome, run_command


def test_a_variable_is_set_read_listed_and_deleted(home: FilledHome) -> None:
    assert run_command("variables", "set", "city", "Oslo", "--description", "where").status == 0
    assert run_command("variables", "get", "city").out == "Oslo\n"
    assert run_command("variables", "list", "-o", "json").json == [{"key": "city"}]
    assert run_command("variables", "list", "--show-values", "-o", "json").json == [
        {"key": "city", "val": "Oslo", "description": "where"}
    ]
    assert run_command("variables", "delete", "city", "-y").status == 0
    assert run_command("variables", "get", "city").status == 1


def test_a_new_value_keeps_the_description(home: FilledHome) -> None:
    run_command("variables", "set", "city", "Oslo", "--description", "where")
    assert run_command("variables", "set", "city", "Rome", "-o", "json").json["description"] == "where"


def test_an_unknown_variable_names_the_nearest_and_a_default_stands_in(home: FilledHome) -> None:
    run_command("variables", "set", "city", "Oslo")
    said = run_command("variables", "get", "citty")
    assert (said.status, "'city'" in said.err) == (1, True)
    assert run_command("variables", "get", "citty", "-d", "Rome").out == "Rome\n"


def test_json_is_checked_when_it_is_set_and_when_it_is_read(home: FilledHome) -> None:
    assert run_command("variables", "set", "limits", "{rows: 1}", "--json").status == 2
    run_command("variables", "set", "limits", '{"rows":1}', "--json")
    assert json.loads(run_command("variables", "get", "limits", "--json").out) == {"rows": 1}
    run_command("variables", "set", "city", "Oslo")
    assert run_command("variables", "get", "city", "--json").status == 2


def test_a_list_shows_no_secrets(home: FilledHome) -> None:
    run_command("variables", "set", "city", "Oslo")
    run_command("variables", "set", "api_key", "hunter22")
    shown = run_command("variables", "list", "--show-values", "-o", "json").json
    assert [row["val"] for row in shown] == ["***", "Oslo"]
    hidden = run_command("variables", "list", "--show-values", "--hide-sensitive", "-o", "json").json
    assert [row["val"] for row in hidden] == ["***", "***"]
    assert run_command("variables", "list", "--hide-sensitive").status == 2


def test_an_export_is_for_its_owner_only_and_an_import_makes_the_same_of_it(home: FilledHome, tmp_path: Path) -> None:
    texts = {
        "a": "plain",
        "b": '{"rows": [1, 2]}',
        "c": "12",
        "d": '"quoted"',
        "e": '{"value": 1}',
        "f": "{spaced:  1}",
    }
    for key, text in texts.items():
        run_command("variables", "set", key, text, *(["--description", "why"] if key == "b" else []))
    file = tmp_path / "variables.json"
    assert run_command("variables", "export", str(file)).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for key in texts:
        run_command("variables", "delete", key, "-y")
    assert run_command("variables", "import", str(file)).status == 0
    assert {
        row["key"]: row["val"] for row in run_command("variables", "list", "--show-values", "-o", "json").json
    } == texts


def test_an_import_says_what_becomes_of_keys_that_are_there(home: FilledHome, tmp_path: Path) -> None:
    run_command("variables", "set", "city", "Oslo")
    file = tmp_path / "new.env"
    file.write_text("# comment\ncity=Rome\nriver=Tiber\n", encoding="utf-8")
    assert run_command("variables", "import", str(file), "-a", "fail").status == 1
    assert run_command("variables", "list", "-o", "json").json == [{"key": "city"}]
    assert run_command("variables", "import", str(file), "-a", "skip").status == 0
    assert run_command("variables", "get", "city").out == "Oslo\n"
    assert run_command("variables", "import", str(file)).status == 0
    assert run_command("variables", "get", "city").out == "Rome\n"


@pytest.mark.parametrize(
    ("name", "text", "word"),
    [
        ("a.json", "[1]", "no JSON object"),
        ("a.json", "{", "no JSON"),
        ("a.json", '{"a": 1, "a": 2}', "twice"),
        ("a.env", "novalue", ":1:"),
    ],
)
def test_a_file_that_holds_no_variables_is_refused(
    home: FilledHome, tmp_path: Path, name: str, text: str, word: str
) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    said = run_command("variables", "import", str(tmp_path / name))
    assert said.status == 2
    assert word in said.err


def test_the_environment_comes_before_the_database(home: FilledHome, monkeypatch: pytest.MonkeyPatch) -> None:
    run_command("variables", "set", "city", "Oslo")
    monkeypatch.setenv("AIRFLOW_VAR_CITY", "Rome")
    assert run_command("variables", "get", "city").out == "Rome\n"
    monkeypatch.setenv("ORCHESTRATOR_VAR_CITY", "Bern")
    assert run_command("variables", "get", "city").out == "Bern\n"


def test_the_key_of_a_home_is_made_once_and_readable_by_its_owner_only(home: FilledHome, tmp_path: Path) -> None:
    run_command("variables", "set", "city", "Oslo")
    key = tmp_path / "fernet.key"
    made = key.read_bytes()
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    run_command("variables", "set", "river", "Aare")
    assert key.read_bytes() == made


def test_keys_are_rotated_by_a_list_of_keys(home: FilledHome, monkeypatch: pytest.MonkeyPatch) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv("ORCHESTRATOR__CORE__FERNET_KEY", old)
    run_command("variables", "set", "city", "Oslo")
    run_command("connections", "add", "db", "--conn-uri", "postgres://me:secret@db")
    monkeypatch.setenv("ORCHESTRATOR__CORE__FERNET_KEY", f"{new},{old}")
    assert run_command("variables", "get", "city").out == "Oslo\n"
    assert run_command("rotate-fernet-key").status == 0
    monkeypatch.setenv("ORCHESTRATOR__CORE__FERNET_KEY", new)
    assert run_command("variables", "get", "city").out == "Oslo\n"
    assert run_command("connections", "get", "db", "--show-values", "-o", "json").json["password"] == "secret"


def test_another_key_and_no_key_are_told_without_showing_them(
    home: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_command("variables", "set", "city", "Oslo")
    monkeypatch.setenv("ORCHESTRATOR__CORE__FERNET_KEY", Fernet.generate_key().decode())
    said = run_command("variables", "get", "city")
    assert (said.status, "another key" in said.err) == (1, True)
    monkeypatch.setenv("ORCHESTRATOR__CORE__FERNET_KEY", "no-such-key")
    said = run_command("variables", "get", "city")
    assert (said.status, "no-such-key" in said.err) == (1, False)
    shown = run_command("config", "explain", "fernet_key", "-o", "json").json
    assert shown["value"] == "***"
