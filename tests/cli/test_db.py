"""``orchestrator db``."""

import sqlite3
from pathlib import Path

import pytest

from orchestrator.cli.db import shell_command
from orchestrator.core.orders import log_path, progress_path
from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, run_command


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home without a database."""
    monkeypatch.setenv("ORCHESTRATOR_HOME", str(tmp_path / "new"))
    return tmp_path / "new"


def test_a_database_is_created_once(bare: Path) -> None:
    first = run_command("db", "migrate")
    assert first.status == 0
    assert first.out.startswith(f"Created sqlite:///{bare}/orchestrator.db")
    assert "already" in run_command("db", "migrate").out
    assert run_command("dags", "list", "-o", "json").json == []


def test_the_default_pool_of_a_new_database_has_the_slots_of_the_settings(
    bare: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR__CORE__DEFAULT_POOL_TASK_SLOT_COUNT", "5")
    run_command("db", "migrate")
    assert run_command("pools", "get", "default_pool", "-o", "json").json["slots"] == 5


@pytest.mark.parametrize("words", [("dags", "list"), ("db", "check"), ("runs", "show", "x"), ("pools", "list")])
def test_without_a_database_every_command_says_what_to_do(bare: Path, words: tuple[str, ...]) -> None:
    said = run_command(*words)
    assert said.status == 1
    assert said.err.count("\n") == 1
    assert "orchestrator db migrate" in said.err


def test_a_file_that_is_no_database_is_named(bare: Path) -> None:
    bare.mkdir()
    (bare / "orchestrator.db").write_text("not a database at all, but text\n" * 100)
    for words in (("dags", "list"), ("db", "check"), ("db", "migrate")):
        said = run_command(*words)
        assert said.status == 1
        assert f"{bare}/orchestrator.db" in said.err
        assert "Traceback" not in said.err


def test_a_schema_of_a_newer_program_is_refused(shop: FilledHome) -> None:
    with sqlite3.connect(shop.folder / "orchestrator.db") as connection:
        connection.execute("UPDATE orchestrator_schema SET version_num = '9999'")
    connection.close()
    for words in (("dags", "list"), ("db", "check"), ("db", "migrate"), ("dags", "trigger", "order_1001")):
        said = run_command(*words)
        assert said.status == 1
        assert "newer" in said.err


def test_a_sound_database_passes_the_check(shop: FilledHome) -> None:
    assert run_command("db", "check").status == 0
    assert run_command("db", "check", "--thorough").status == 0


def test_cleaning_deletes_what_ended_before_a_date_with_its_logs_and_progress(shop: FilledHome) -> None:
    shop.begin("order_1001", "open")
    log = shop.folder / "logs" / log_path(1, 2, -1)
    progress = shop.folder / "heartbeats" / progress_path(1, "charge_card", -1, 1)
    for path in (log, progress):
        path.parent.mkdir(parents=True)
        path.write_text("charging")
    planned = run_command("db", "clean", "--before", "2026-02-01", "--dry-run", "-o", "json").json
    assert (planned["dry_run"], planned["runs"], planned["facts"]) == (True, 1, 10)
    assert log.exists()
    assert progress.exists()
    assert run_command("db", "clean", "--before", "2026-02-01", "-y", "-o", "json").json["runs"] == 1
    assert [run.run_id for run in shop.reads.runs()] == ["open"]
    assert not log.parent.exists()
    assert not progress.parent.exists()


def test_cleaning_asks_first(shop: FilledHome) -> None:
    assert run_command("db", "clean", "--before", "2026-02-01").status == 2
    assert len(shop.reads.runs()) == 1


def test_a_rebuild_gives_back_what_was_there(shop: FilledHome) -> None:
    before = run_command("runs", "show", "order_1001", RUN, "-o", "json").json
    with sqlite3.connect(shop.folder / "orchestrator.db") as connection:
        connection.execute("DELETE FROM activities")
    connection.close()
    said = run_command("db", "rebuild", "-y")
    assert said.status == 0, said.err
    assert said.out == "Wrote 1 runs anew.\n"
    assert run_command("runs", "show", "order_1001", RUN, "-o", "json").json == before


def test_the_shell_opens_the_database_for_reading_unless_told_otherwise() -> None:
    assert shell_command("sqlite:////home/my home/x.db", write=False).words == [
        "sqlite3",
        "-readonly",
        "/home/my home/x.db",
    ]
    assert shell_command("sqlite:////x.db", write=True).words == ["sqlite3", "/x.db"]
    shell = shell_command("postgresql+psycopg://me:pw@db:5433/runs", write=False)
    assert shell.words == ["psql", "postgresql://me:pw@db:5433/runs"]
    assert "read_only" in shell.environment["PGOPTIONS"]


def test_a_missing_shell_program_is_named(shop: FilledHome, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    said = run_command("db", "shell")
    assert said.status == 1
    assert "sqlite3 is not installed" in said.err


def test_a_locked_database_is_named_after_the_time_that_is_set(
    shop: FilledHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORCHESTRATOR__DATABASE__BUSY_TIMEOUT", "0.1")
    holder = sqlite3.connect(shop.folder / "orchestrator.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        assert run_command("dags", "list", "-o", "json").status == 0, "reading goes on"
        said = run_command("dags", "trigger", "order_1001")
    finally:
        holder.close()
    assert said.status == 1
    assert "locked by another process" in said.err
    assert said.err.count("\n") == 1


def test_a_home_that_cannot_be_made_is_named_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORCHESTRATOR_HOME", "/proc/home")
    said = run_command("db", "migrate")
    assert said.status == 1
    assert said.err.startswith("Error: the folder /proc/home of the database cannot be made (")
    assert "db migrate" not in said.err
