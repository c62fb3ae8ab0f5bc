"""A line of a history: what a workflow's facts say at a glance."""

import io
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from rich.console import Console

from orchestrator.cli.render.strip import print_strip
from orchestrator.core.callback_events import CallbackEnded, CallbackScheduled
from orchestrator.core.events import (
    ActivityDeferred,
    ActivityRequested,
    AnyEvent,
    ChildEnded,
    ChildStarted,
    Recorded,
    RunBlocked,
    RunCreated,
    RunEnded,
    RunMoved,
    RunReset,
    SignalReceived,
    TimerFired,
    TimerSet,
    UpdateAnswered,
    UpdateReceived,
    VersionMarker,
)
from orchestrator.core.particulars import Failure, PayloadRef, RunLink
from orchestrator.names import BlockKind, CallbackKind, RunState, RunType
from tests.cli.homes import START


def raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def lines(*events: AnyEvent) -> list[str]:
    out = io.StringIO()
    print_strip(
        Console(file=out, width=300), [Recorded(place, START, event) for place, event in enumerate(events, 1)], {7: 3}
    )
    return out.getvalue().splitlines()[1:]


def words(event: AnyEvent) -> str:
    """The line without seq, time and mark, its columns parted by one blank."""
    return " ".join(lines(event)[0].split()[3:])


def created(**fields: Any) -> RunCreated:
    known = {"dag_id": "d", "run_id": "r", "run_uid": "u", "run_type": RunType.MANUAL, "version_id": 1}
    return RunCreated(**known | {"fingerprint": "f"} | fields)


@pytest.mark.parametrize(
    ("event", "said"),
    [
        (
            CallbackScheduled(kind=CallbackKind.FAILURE, task_id="pay", attempt=2),
            "CallbackScheduled pay on_failure try 2",
        ),
        (
            CallbackEnded(kind=CallbackKind.FAILURE, failure=Failure(message="KeyError: 'x'", frames=("…",))),
            "CallbackEnded on_failure failed: KeyError: 'x'",
        ),
        (
            ActivityDeferred(task_id="wait", attempt=2, until=START + timedelta(hours=1)),
            "ActivityDeferred wait try 2 until 2026-01-31 07:00:00Z",
        ),
        (
            ActivityRequested(
                task_id="pay", map_index=2, digest="ab", input=raw({"args": [1, "x"], "kwargs": {"k": []}})
            ),
            'ActivityRequested pay[2] (1, "x", k=[])',
        ),
        (
            ActivityRequested(task_id="pay", map_index=0, digest="ab", payload=PayloadRef(sha256="0", size=70_000)),
            "ActivityRequested pay[0] (70000 bytes)",
        ),
        (
            TimerSet(timer_id="timer-1", fire_at=START + timedelta(days=2)),
            "TimerSet timer-1 until 2026-02-02 06:00:00Z",
        ),
        (TimerFired(timer_id="timer-1"), "TimerFired timer-1"),
        (
            ChildStarted(child_id="ship-1", dag_id="ship", run_id="ship-1__r", child_run_key=4),
            "ChildStarted ship-1 run ship-1__r of ship",
        ),
        (ChildEnded(child_id="ship-1", state=RunState.SUCCESS, result=raw(9)), "ChildEnded ship-1 success → 9"),
        (SignalReceived(name="approval", payload=raw(True), by="ann"), "SignalReceived approval true by ann"),
        (UpdateReceived(update_id="0123456789", name="put", payload=raw({})), "UpdateReceived put {} 01234567"),
        (UpdateAnswered(update_id="0123456789", result=raw(2)), "UpdateAnswered 01234567 → 2"),
        (
            UpdateAnswered(update_id="0123456789", failure=Failure(message="too few")),
            "UpdateAnswered 01234567 refused: too few",
        ),
        (VersionMarker(name="fraud", version=1), "VersionMarker fraud version 1"),
        (RunBlocked(kind=BlockKind.STUCK, message="a.py:1: no end", frames=("x",)), "RunBlocked stuck a.py:1: no end"),
        (RunReset(seq=7, by="ann", reason="again"), "RunReset to fact 7 by ann again"),
        (RunEnded(state=RunState.SUCCESS, result=raw([9])), "RunEnded success → [9]"),
        (RunEnded(state=RunState.FAILED, reason="a.py:1: E"), "RunEnded failed a.py:1: E"),
        (
            created(parent=RunLink(run_key=1, dag_id="p", run_id="q"), triggered_by="parent q"),
            "RunCreated r child of p q",
        ),
        (
            created(forked=RunLink(run_key=1, dag_id="d", run_id="q", seq=5)),
            "RunCreated r forked from d q at fact 5 by cli",
        ),
    ],
)
def test_a_fact_of_a_workflow_says_what_it_is_about(event: AnyEvent, said: str) -> None:
    assert words(event) == said


def test_columns_stand_below_each_other_whatever_a_line_is_about() -> None:
    found = lines(
        TimerSet(timer_id="timer-1", fire_at=START),
        ActivityRequested(task_id="pay", map_index=12, digest="ab", input=raw({"args": [7], "kwargs": {}})),
        ChildStarted(child_id="ship-1", dag_id="ship", run_id="r", child_run_key=4),
    )
    assert [line.index(word) for line, word in zip(found, ("until", "(7)", "run r"), strict=True)] == [
        found[0].index("until")
    ] * 3


def shown(message: str, **console: Any) -> str:
    out = io.StringIO()
    blocked = RunBlocked(kind=BlockKind.NON_DETERMINISM, message=message)
    print_strip(Console(file=out, **console), [Recorded(12_345, START, blocked)], {})
    return out.getvalue()


@pytest.mark.parametrize("width", [40, 60, 100])
def test_a_narrow_terminal_shows_all_that_is_said(width: int) -> None:
    message = " ".join(f"word{number}" for number in range(60))
    found = shown(message, width=width, force_terminal=True, color_system=None)
    assert max(map(len, found.splitlines())) <= width
    assert " ".join(found.split()).endswith(f"RunBlocked non_determinism {message}")


def test_what_is_no_terminal_is_given_every_fact_whole_and_on_one_line() -> None:
    message = "x" * 5_000
    line = shown(message, width=60).splitlines()[1]
    assert line.endswith(f"  non_determinism  {message}")


def test_a_move_names_the_version_by_its_number() -> None:
    assert words(RunMoved(version_id=7, fingerprint="f")) == "RunMoved to version 3"
    assert words(RunMoved(version_id=8, fingerprint="f")) == "RunMoved to a version that is not recorded here"
