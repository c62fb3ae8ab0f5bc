"""``orchestrator runs show --at``, and ``runs history --from --to``."""

import pytest

from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, run_command


def show(*words: str) -> dict[str, object]:
    return run_command("runs", "show", "order_1001", RUN, "--at", *words, "-o", "json").json  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("seq", "state", "tasks"),
    [
        (1, "queued", ["none", "none", "none", "none"]),
        (2, "running", ["queued", "none", "none", "none"]),
        (3, "running", ["running", "none", "none", "none"]),
        (4, "running", ["success", "none", "none", "none"]),
        (7, "running", ["success", "failed", "none", "none"]),
        (9, "running", ["success", "failed", "upstream_failed", "upstream_failed"]),
        (10, "failed", ["success", "failed", "upstream_failed", "upstream_failed"]),
    ],
)
def test_a_run_is_shown_as_it_was_after_each_of_its_facts(
    shop: FilledHome, seq: int, state: str, tasks: list[str]
) -> None:
    then = show(str(seq))
    assert then["state"] == state
    assert [task["state"] for task in then["tasks"]] == tasks  # type: ignore[attr-defined]
    assert then["at"]["seq"] == seq  # type: ignore[index]


def test_what_a_worker_had_and_what_the_run_waited_for_is_shown(shop: FilledHome) -> None:
    then = show("3")
    assert then["at"] == {"seq": 3, "at": "2026-01-31T06:00:02Z", "type": "ActivityStarted"}
    assert then["open"] == [{"task_id": "charge_card", "map_index": -1, "attempt": 1, "state": "running"}]
    (reason,) = then["reasons"]  # type: ignore[misc]
    assert reason["cause"] == "running"
    assert then["end_date"] is None
    assert then["reason"] == ""


def test_the_last_fact_shows_what_the_present_shows(shop: FilledHome) -> None:
    then, now = show("10"), run_command("runs", "show", "order_1001", RUN, "-o", "json").json
    assert {name: then[name] for name in now} == now


def test_a_moment_means_the_last_fact_up_to_it(shop: FilledHome) -> None:
    assert show("2026-01-31T06:00:03+00:00")["at"]["seq"] == 4  # type: ignore[index]
    assert show("2026-01-31T06:00:03.9")["at"]["seq"] == 4  # type: ignore[index]
    assert show("2027-01-01")["at"]["seq"] == 10  # type: ignore[index]


@pytest.mark.parametrize(
    ("at", "status", "words"),
    [
        ("0", 1, "has facts 1 to 10, and none 0"),
        ("-3", 1, "and none -3"),
        ("11", 1, "has facts 1 to 10, and none 11"),
        ("2026-01-30", 1, "it was created later"),
        ("yesterday", 2, "neither a seq nor a date"),
    ],
)
def test_a_place_that_is_none_of_the_history_is_an_error(shop: FilledHome, at: str, status: int, words: str) -> None:
    said = run_command("runs", "show", "order_1001", RUN, f"--at={at}")
    assert said.status == status
    assert words in said.err


def test_the_table_says_which_moment_it_shows(shop: FilledHome) -> None:
    out = run_command("runs", "show", "order_1001", RUN, "--at", "4").out
    assert "After fact 4 of 10, ActivityCompleted, at 2026-01-31 06:00:03Z" in out
    assert "reserve_inventory is ready" in out


def seqs(*words: str) -> list[int]:
    return [fact["seq"] for fact in run_command("runs", "history", "order_1001", *words, "-o", "json").json]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--from", "8"], [8, 9, 10]),
        (["--to", "3"], [1, 2, 3]),
        (["--from", "3", "--to", "4"], [3, 4]),
        (["--from", "2026-01-31T06:00:08", "--to", "2027-01-01"], [9, 10]),
        (["--to", "2026-01-31T06:00:00"], [1]),
        (["--from", "99"], []),
        (["--to", "0"], []),
        (["--from", "1", "--after", "8"], [9, 10]),
        (["--from", "3", "--to", "8", "--task", "charge_card"], [3, 4]),
    ],
)
def test_a_stretch_of_the_history_is_named_by_seqs_or_moments(
    shop: FilledHome, words: list[str], expected: list[int]
) -> None:
    assert seqs(*words) == expected
