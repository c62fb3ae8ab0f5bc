"""``orchestrator pools``."""

import pytest

from tests.cli.homes import FilledHome, run_command


def test_a_new_database_has_the_default_pool(home: FilledHome) -> None:
    (pool,) = run_command("pools", "list", "-o", "json").json
    assert (pool["pool"], pool["slots"], pool["open"]) == ("default_pool", 128, 128)


def test_a_pool_is_made_changed_and_deleted(home: FilledHome) -> None:
    assert run_command("pools", "set", "warehouse", "4", "connections", "-o", "json").json["slots"] == 4
    assert run_command("pools", "set", "warehouse", "2", "-o", "json").json["slots"] == 2
    pool = run_command("pools", "get", "warehouse", "-o", "json").json
    assert (pool["open"], pool["description"]) == (2, "connections")
    assert run_command("pools", "delete", "warehouse", "-y").status == 0
    assert run_command("pools", "get", "warehouse").status == 1


def test_a_pool_without_a_limit_has_no_number_of_open_slots(home: FilledHome) -> None:
    pool = run_command("pools", "set", "free", "-1", "-o", "json").json
    assert (pool["slots"], pool["open"]) == (-1, None)


def test_an_unknown_pool_names_the_nearest(home: FilledHome) -> None:
    said = run_command("pools", "get", "default_pol")
    assert said.status == 1
    assert "'default_pool'" in said.err


def test_the_default_pool_stays(home: FilledHome) -> None:
    assert run_command("pools", "delete", "default_pool", "-y").status == 1


@pytest.mark.parametrize("words", [("x", "-2"), ("x", "many"), ("x", "1", "--descripton")])
def test_a_pool_that_makes_no_sense_is_refused(home: FilledHome, words: tuple[str, ...]) -> None:
    assert run_command("pools", "set", *words).status == 2
    assert len(home.reads.pools()) == 1


def test_more_slots_than_a_database_can_count_are_refused(home: FilledHome) -> None:
    said = run_command("pools", "set", "wide", str(10**20))
    assert said.status == 2
    assert "is not in the range" in said.err
