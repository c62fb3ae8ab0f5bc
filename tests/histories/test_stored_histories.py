"""Histories of every release: they are decoded and replayed for ever, to the state that they led to then.

A stored history is never changed. When an event changes, a lifter is written and a history of the new release added.
"""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orchestrator.core.events import EVENT_TYPES, Recorded
from orchestrator.core.plan import Plan
from orchestrator.core.run import Run
from orchestrator.core.runs import replay
from orchestrator.core.spec import decode_spec, fingerprint
from orchestrator.core.workflow_run import WorkflowRun
from orchestrator.storage.codec import CODEC

STORED = sorted(Path(__file__).parent.glob("*.json"))


@pytest.fixture(params=STORED, ids=lambda path: path.stem)
def stored(request: pytest.FixtureRequest) -> dict[str, Any]:
    return json.loads(request.param.read_text(encoding="utf-8"))


def facts(stored: dict[str, Any]) -> list[Recorded]:
    return [
        Recorded(row["seq"], datetime.fromisoformat(row["at"]), CODEC.decode(row["type"], row["version"], row["body"]))
        for row in stored["facts"]
    ]


def plans(stored: dict[str, Any]) -> dict[int, Plan]:
    specs = {int(number): decode_spec(json.dumps(spec)) for number, spec in stored["specs"].items()}
    return {number: Plan(spec, number, fingerprint(spec)) for number, spec in specs.items()}


def summary(run: Run, activity: dict[str, Any]) -> dict[str, Any]:
    """What the expectation says of one activity."""
    found = run.nodes[activity["task_id"]].peek(activity["map_index"])
    assert found is not None
    said = {name: getattr(found, name) for name in activity if name not in ("task_id", "map_index")}
    return {**activity, **said, "state": found.state.value}


def test_a_stored_history_leads_to_the_state_that_it_led_to_then(stored: dict[str, Any]) -> None:
    run = replay(1, facts(stored), plans(stored).__getitem__)
    expected = stored["expected"]
    assert run.state.value == expected["state"]
    assert (run.version_id, run.reason) == (expected["version_id"], expected["reason"])
    assert sorted([*place, attempt] for place, attempt in run.open.items()) == expected["open"]
    assert [summary(run, activity) for activity in expected["activities"]] == expected["activities"]


def waiting(run: WorkflowRun) -> dict[str, Any]:
    """What the expectation says of what a workflow waits for."""
    return {
        "unended": [list(place) for place in run.unended],
        "timers": {name: fire_at.isoformat() for name, fire_at in run.timers.items()},
        "children": list(run.children),
        "updates": list(run.updates),
        "began_at": run.began_at,
        "asked_until": run.asked_until,
        "has_news": run.has_news,
    }


def test_a_stored_workflow_waits_for_what_it_waited_for_then(stored: dict[str, Any]) -> None:
    run = replay(1, facts(stored), plans(stored).__getitem__)
    expected = stored["expected"].get("waiting")
    assert (waiting(run) if isinstance(run, WorkflowRun) else None) == expected


def test_a_stored_history_that_is_recorded_today_reads_the_same(stored: dict[str, Any]) -> None:
    read = [fact.event for fact in facts(stored)]
    assert [CODEC.decode(*CODEC.encode(event)) for event in read] == read


def test_a_fact_of_todays_version_is_written_as_it_was_then(stored: dict[str, Any]) -> None:
    for row, fact in zip(stored["facts"], facts(stored), strict=True):
        encoded = CODEC.encode(fact.event)
        if encoded.version == row["version"]:
            assert json.loads(encoded.body) == json.loads(row["body"])


def test_the_fingerprint_of_a_stored_version_is_what_its_run_recorded(stored: dict[str, Any]) -> None:
    recorded = json.loads(stored["facts"][0]["body"])["fingerprint"]
    assert plans(stored)[1].fingerprint == recorded


def test_every_kind_of_fact_is_in_some_stored_history() -> None:
    rows = [row for path in STORED for row in json.loads(path.read_text(encoding="utf-8"))["facts"]]
    assert {row["type"] for row in rows} == {kind.__name__ for kind in EVENT_TYPES}


def test_a_stored_history_leaves_the_callbacks_open_that_it_left_open_then(stored: dict[str, Any]) -> None:
    run = replay(1, facts(stored), plans(stored).__getitem__)
    expected = stored["expected"].get("callbacks", {"open": 0, "failed": 0, "ends": run.ends})
    assert {"open": len(run.callbacks), "failed": run.callbacks.failed, "ends": run.ends} == expected
