"""Schedules in words."""

from datetime import UTC, datetime, timedelta

import pytest

from orchestrator.core.schedule_words import schedule_in_words
from orchestrator.core.spec import Cron, DagSpec, Dates, Every, Once, Planned, Schedule, Several


@pytest.mark.parametrize(
    ("expression", "words"),
    [
        ("* * * * *", "every minute"),
        ("*/5 * * * *", "every 5 minutes"),
        ("15 * * * *", "every hour at :15"),
        ("0 */6 * * *", "every 6 hours"),
        ("0 6 * * *", "every day at 06:00"),
        ("30 6,18 * * *", "every day at 06:30 and 18:30"),
        ("0 6 * * 1-5", "on weekdays at 06:00"),
        ("0 6 * * 0", "on Sundays at 06:00"),
        ("0 6 * * MON,wed", "on Mondays and Wednesdays at 06:00"),
        ("0 6 1 * *", "on day 1 of the month at 06:00"),
        ("0 6 24 12 *", "on 24 December at 06:00"),
    ],
)
def test_a_common_cron_expression_is_said_as_people_say_it(expression: str, words: str) -> None:
    assert schedule_in_words(DagSpec(dag_id="a", schedule=Cron(expression=expression))) == words


@pytest.mark.parametrize(
    "expression", ["0 6 1-7 * 1", "* 4 * * *", "0 6 L * *", "1-5 * * * *", "0 0 6 * * *", "0 6 * * 1#2"]
)
def test_another_one_stands_as_it_is(expression: str) -> None:
    assert schedule_in_words(DagSpec(dag_id="a", schedule=Cron(expression=expression))) == expression


@pytest.mark.parametrize(
    ("schedule", "words"),
    [
        (None, "when it is triggered"),
        (Once(), "once"),
        (Every(period=timedelta(hours=2)), "every 2 hours"),
        (Every(period=timedelta(days=1)), "every day"),
        (Every(period=timedelta(seconds=90)), "every 90 seconds"),
        (
            Several(crons=(Cron(expression="0 6 * * *"), Cron(expression="0 0 1 * *"))),
            "every day at 06:00; on day 1 of the month at 00:00",
        ),
        (Dates((datetime(2026, 1, 1, tzinfo=UTC),)), "on one date"),
        (Planned(timetable="shop.Workdays"), "as Workdays says"),
        (Cron(expression="0 6 * * *", timezone="Asia/Seoul"), "every day at 06:00, Asia/Seoul"),
    ],
)
def test_every_kind_of_schedule_has_words(schedule: Schedule | None, words: str) -> None:
    assert schedule_in_words(DagSpec(dag_id="a", schedule=schedule)) == words
