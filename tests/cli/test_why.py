"""``orchestrator runs why``."""

import pytest

from tests.cli.conftest import RUN
from tests.cli.homes import FilledHome, run_command


def test_a_failed_run_is_told_from_the_task_at_its_root(shop: FilledHome) -> None:
    said = run_command("runs", "why", "order_1001")
    assert said.status == 0
    assert said.out.splitlines() == [
        "The run failed after 8 s: reserve_inventory failed.",
        "reserve_inventory failed on attempt 1: sold out.",
        "  fact 7, 2026-01-31 06:00:06Z; send_email ← ship_package ← reserve_inventory",
    ]


@pytest.mark.parametrize("words", [["send_email"], [RUN, "send_email"], ["2026-01-31T06:00", "send_email"]])
def test_a_task_is_told_with_its_causes(shop: FilledHome, words: list[str]) -> None:
    reasons = run_command("runs", "why", "order_1001", *words, "-o", "json").json
    assert [(reason["cause"], reason["task_id"]) for reason in reasons] == [
        ("upstream_failed", "send_email"),
        ("failed", "reserve_inventory"),
    ]
    assert "sold out" in reasons[1]["sentence"]


def test_a_run_that_waits_for_a_scheduler_says_so(shop: FilledHome) -> None:
    run_command("dags", "trigger", "order_1001")
    reasons = run_command("runs", "why", "order_1001", "-o", "json").json
    assert [reason["cause"] for reason in reasons] == ["no_scheduler", "run_queued"]
    assert "orchestrator standalone" in reasons[0]["sentence"]


def test_an_unknown_task_names_the_nearest(shop: FilledHome) -> None:
    for words in (["send_mail"], [RUN, "send_mail"]):
        said = run_command("runs", "why", "order_1001", *words)
        assert said.status == 1
        assert "send_mail" in said.err
