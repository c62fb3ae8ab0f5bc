"""``orchestrator connections``."""

import json
import stat
from pathlib import Path

import pytest

from tests.cli.homes import FilledHome, run_command

URI = "postgres://etl:s3cret-word@db:5432/sales?sslmode=require"


def test_a_connection_is_added_shown_listed_and_deleted(home: FilledHome) -> None:
    added = run_command("connections", "add", "warehouse", "--conn-uri", URI, "-o", "json").json
    assert (added["conn_type"], added["host"], added["port"], added["schema"]) == ("postgres", "db", 5432, "sales")
    assert run_command("connections", "list", "-o", "json").json == [{"conn_id": "warehouse", "conn_type": "postgres"}]
    assert run_command("connections", "delete", "warehouse", "-y").status == 0
    assert run_command("connections", "get", "warehouse").status == 1


def test_no_secret_is_shown_unless_it_is_asked_for(home: FilledHome) -> None:
    extra = json.dumps({"region": "eu-north", "private_key": "very-private-words"})
    run_command("connections", "add", "a", "--conn-uri", URI)
    run_command("connections", "add", "b", "--conn-type", "aws", "--conn-extra", extra)
    for words in (["get", "a"], ["get", "b"], ["list"], ["list", "--show-values", "--hide-sensitive"]):
        for output in ("json", "table", "plain", "yaml"):
            said = run_command("connections", *words, "-o", output)
            assert said.status == 0
            for secret in ("s3cret-word", "very-private-words", "eu-north"):
                assert secret not in said.out + said.err
    assert run_command("connections", "get", "a", "--show-values", "-o", "json").json["uri"] == URI


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("--conn-uri", "no uri"),
        ("--conn-uri", "http://host:port"),
        ("--conn-json", "[1]"),
        ("--conn-json", '{"conn_type": "http", "hosst": "x"}'),
        ("--conn-json", '{"host": "x"}'),
        ("--conn-host", "x"),
        ("--conn-uri", URI, "--conn-host", "x"),
        ("--conn-type", "http", "--conn-port", "65536"),
        ("--conn-type", "http", "--conn-extra", "[1]"),
    ],
)
def test_a_connection_that_makes_no_sense_is_refused(home: FilledHome, words: tuple[str, ...]) -> None:
    assert run_command("connections", "add", "x", *words).status == 2
    assert run_command("connections", "list", "-o", "json").json == []


def test_a_connection_that_is_there_is_not_added_again(home: FilledHome) -> None:
    run_command("connections", "add", "warehouse", "--conn-uri", URI)
    assert run_command("connections", "add", "warehouse", "--conn-uri", URI).status == 1
    assert run_command("connections", "add", "no such id", "--conn-uri", URI).status == 2


def test_an_unknown_connection_names_the_nearest(home: FilledHome) -> None:
    run_command("connections", "add", "warehouse", "--conn-uri", URI)
    said = run_command("connections", "get", "warehose")
    assert (said.status, "'warehouse'" in said.err) == (1, True)


@pytest.mark.parametrize("name", ["all.json", "all.env", "json.env"])
def test_what_is_exported_is_imported_as_it_was(home: FilledHome, tmp_path: Path, name: str) -> None:
    run_command("connections", "add", "warehouse", "--conn-uri", URI)
    run_command("connections", "add", "api", "--conn-uri", "http://https://host%2Fpath/?__extra__=%7B%22a%22%3A+1%7D")
    before = run_command("connections", "list", "--show-values", "-o", "json").json
    file = tmp_path / name
    words = ["--serialization-format", "json"] if name == "json.env" else []
    assert run_command("connections", "export", str(file), *words).status == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    for one in before:
        run_command("connections", "delete", one["conn_id"], "-y")
    assert run_command("connections", "import", str(file)).status == 0
    assert run_command("connections", "list", "--show-values", "-o", "json").json == before


def test_an_import_leaves_what_is_there_unless_it_may_overwrite(home: FilledHome, tmp_path: Path) -> None:
    run_command("connections", "add", "warehouse", "--conn-uri", URI)
    file = tmp_path / "new.json"
    file.write_text(json.dumps({"warehouse": "http://new", "other": {"conn_type": "http"}}), encoding="utf-8")
    run_command("connections", "import", str(file))
    assert run_command("connections", "get", "warehouse", "-o", "json").json["host"] == "db"
    run_command("connections", "import", str(file), "--overwrite")
    assert run_command("connections", "get", "warehouse", "-o", "json").json["host"] == "new"


def test_the_environment_comes_before_the_database(home: FilledHome, monkeypatch: pytest.MonkeyPatch) -> None:
    run_command("connections", "add", "warehouse", "--conn-uri", URI)
    monkeypatch.setenv("AIRFLOW_CONN_WAREHOUSE", json.dumps({"conn_type": "mysql", "host": "env"}))
    found = run_command("connections", "get", "warehouse", "-o", "json").json
    assert (found["conn_type"], found["host"]) == ("mysql", "env")
