"""How a run is summed up and drawn."""

import io
from datetime import timedelta
from itertools import pairwise
from typing import Any

import msgspec
from rich.console import Console

from orchestrator.cli.progress import Progress, changed, progress
from orchestrator.cli.render.run_view import LineView, LiveView, picture, sentence
from orchestrator.names import RunState, RunType, TaskState
from orchestrator.storage.views import ActivityRow, RunRow
from orchestrator.worker.heartbeats import LastBeat
from tests.cli.homes import SECOND, START


def run(**fields: Any) -> RunRow:
    given = {"state": RunState.RUNNING, "started_at": START} | fields
    return RunRow(
        run_key=1, run_uid="u", dag_id="order", run_id="r1", run_type=RunType.MANUAL, created_at=START, **given
    )


def activity(task_id: str, state: TaskState, map_index: int = -1, **fields: Any) -> ActivityRow:
    given = {"attempt": 1, "started_at": START} | fields
    return ActivityRow(run_key=1, task_id=task_id, map_index=map_index, state=state, **given)


def mapped(done: int, total: int, **fields: Any) -> Progress:
    states = [TaskState.SUCCESS] * done + [TaskState.RUNNING] * (total - done)
    return progress(run(**fields), [activity("work", state, index) for index, state in enumerate(states)])


def drawn(one: Progress, *, room: int = 20, after: timedelta = timedelta(0)) -> list[str]:
    out = io.StringIO()
    Console(file=out, width=100).print(picture(one, START + after, room))
    return [line.rstrip() for line in out.getvalue().splitlines()]


def test_a_picture_shows_the_run_its_tasks_and_how_much_is_done() -> None:
    one = progress(
        run(),
        [
            activity("charge", TaskState.SUCCESS, ended_at=START + 2 * SECOND),
            activity("ship", TaskState.RUNNING, attempt=2),
            activity("mail", TaskState.NONE, attempt=0, started_at=None),
        ],
    )
    head, _, charge, ship, mail, bar = drawn(one, after=5 * SECOND)
    assert head.split() == ["order", "r1", "running", "5.00s"]
    assert charge.split() == ["charge", "success", "1", "2.00s"]
    assert ship.split() == ["ship", "running", "2", "5.00s"]
    assert mail.split() == ["mail", "none"]
    assert bar.endswith("1/3 tasks done")


def test_a_task_that_waits_for_its_next_try_says_how_long() -> None:
    one = progress(run(), [activity("ship", TaskState.UP_FOR_RETRY, retry_at=START + 9 * SECOND)])
    assert "up_for_retry in 4.00s" in drawn(one, after=5 * SECOND)[2]


def test_a_task_that_runs_says_how_far_it_has_come() -> None:
    rows = [
        activity("copy", TaskState.SUCCESS, 0),
        activity("copy", TaskState.RUNNING, 1),
        activity("ship", TaskState.NONE),
    ]
    beat = LastBeat(at=START, attempt=1, progress=msgspec.Raw(b'"1/3 of\x1b[2J it"'))
    copy, ship = progress(run(), rows, beats={("copy", 1): beat}).lines
    assert (copy.said, ship.said) == ('"1/3 of\x1b[2J it"', "")
    assert '1/3 of\\x1b[2J it"' in drawn(progress(run(), rows, beats={("copy", 1): beat}))[2]


def test_where_several_of_a_task_run_none_of_them_speaks_for_all() -> None:
    rows = [activity("copy", TaskState.RUNNING, index) for index in range(2)]
    beat = LastBeat(at=START, attempt=1, progress=msgspec.Raw(b"7"))
    assert progress(run(), rows, beats={("copy", 1): beat}).lines[0].said == ""


def test_a_mapped_task_is_one_line_with_its_counts() -> None:
    line = drawn(mapped(3, 10))[2]
    assert line.split()[:2] == ["work", "x10"]
    assert "running 7" in line
    assert "success 3" in line


def test_of_many_tasks_those_that_say_most_are_shown() -> None:
    quiet = [activity(f"t{number}", TaskState.SUCCESS) for number in range(50)]
    lines = drawn(progress(run(), [*quiet, activity("bad", TaskState.FAILED)]), room=5)
    assert any("bad" in line for line in lines)
    assert any("and 46 more tasks" in line for line in lines)
    assert len(lines) == 9


def test_a_run_that_is_paused_or_being_cancelled_says_so() -> None:
    assert "paused" in drawn(progress(run(is_paused=True), []))[0]
    assert "being cancelled" in drawn(progress(run(is_cancelling=True), []))[0]


def test_the_first_look_tells_what_has_happened_and_the_next_only_what_is_new() -> None:
    first = progress(run(), [activity("a", TaskState.RUNNING), activity("b", TaskState.NONE, attempt=0)])
    second = progress(run(), [activity("a", TaskState.SUCCESS), activity("b", TaskState.RUNNING)])
    assert [line.task_id for line in changed(None, first)] == ["a"]
    assert [line.task_id for line in changed(first, second)] == ["a", "b"]
    assert list(changed(second, second)) == []


def test_a_large_mapped_task_is_told_by_the_tenth() -> None:
    assert list(changed(mapped(0, 1000), mapped(50, 1000))) == []
    (line,) = changed(mapped(50, 1000), mapped(150, 1000))
    assert sentence(line, START) == "work  150/1000 done: 850 running, 150 success"


def test_calls_that_become_more_as_a_workflow_goes_on_are_told_by_the_first_digit_of_their_number() -> None:
    looks = [mapped(done, done + 1) for done in range(300)]
    told = [after.lines[0].done for before, after in pairwise(looks) if list(changed(before, after))]
    assert told == [*range(1, 10), *range(10, 100, 10), 100, 200]


def test_a_new_failure_in_a_mapped_task_is_told_at_once() -> None:
    before = mapped(5, 1000)
    rows = [activity("work", TaskState.SUCCESS, index) for index in range(5)]
    rows += [activity("work", TaskState.FAILED, 5)]
    rows += [activity("work", TaskState.RUNNING, index) for index in range(6, 1000)]
    (line,) = changed(before, progress(run(), rows))
    assert "1 failed" in sentence(line, START)


def test_a_terminal_shows_the_table_in_its_place() -> None:
    out = io.StringIO()
    console = Console(file=out, width=80, height=24, force_terminal=True, color_system="standard", _environ={})
    with LiveView(console) as view:
        view.show(mapped(1, 2), START)
        view.show(mapped(2, 2, state=RunState.SUCCESS, ended_at=START + SECOND), START + SECOND)
    drawing = out.getvalue()
    assert "\x1b[1A" in drawing  # the second picture takes the first one's place
    assert drawing.count("tasks done") >= 2
    assert "\x1b[?25h" in drawing  # the cursor is given back


def test_who_watches_a_task_of_unknown_outcome_is_told_how_to_answer() -> None:
    lines = drawn(progress(run(), [activity("charge", TaskState.AWAITING_INPUT)]))
    assert any("orchestrator tasks resolve" in line and " charge " in line for line in lines)


def test_where_there_is_no_terminal_each_change_of_the_run_is_a_line() -> None:
    out = io.StringIO()
    view = LineView(Console(file=out, width=200))
    for fields in ({}, {}, {"is_paused": True}, {}, {"is_cancelling": True}, {"state": RunState.FAILED}):
        view.show(Progress(run=run(**fields), lines=[]), START)
    assert [line.partition("r1  ")[2] for line in out.getvalue().splitlines()] == [
        "running",
        "running, paused",
        "running",
        "running, cancelling",
        "failed",
    ]
